import type { PointView } from "../api/answers.ts";

/** What needs a person, what the device is, and what keeps watch and sees nothing. */
export interface PointGroups {
  readonly alarms: readonly PointView[];
  readonly states: readonly PointView[];
  readonly watching: readonly PointView[];
}

/** One of many alike: a feeder, a detector, a signal group. */
const NUMBERED = /(^|-)\d+(-|$)/;

/** In the order of the profile, what there is once before what there is many times. What is only written shows nothing. */
export function groupPoints(points: readonly PointView[]): PointGroups {
  const shown = points
    .filter(({ access, type }) => access !== "write" && type !== "action")
    .toSorted((one, other) => Number(NUMBERED.test(one.name)) - Number(NUMBERED.test(other.name)));
  const isRaised = ({ alarm, state }: PointView): boolean => alarm !== null && state?.value === true;
  return {
    alarms: shown.filter(isRaised),
    states: shown.filter(({ alarm }) => alarm === null),
    watching: shown.filter((point) => point.alarm !== null && !isRaised(point)),
  };
}
