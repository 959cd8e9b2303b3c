import type { PointValue } from "../reading.ts";

/** A condition of the profile, as data: all of it must hold. Operational only; safety functions stay in the device. */
export interface Interlock {
  /** As the profile names it, for people. */
  readonly name: string;
  readonly all: readonly InterlockCondition[];
}

/** A point of the same device that must have this value; one that can not be read, or is old, has not. */
export type InterlockCondition = ExpectedValue & {
  readonly point: string;
  /** Asked only of orders to this value, e.g. of closing and not of opening; absent: of all. */
  readonly writing?: PointValue;
};

export type ExpectedValue = { readonly equals: PointValue } | { readonly oneOf: readonly PointValue[] };

/** The values of which the point must have one. */
export function expectedValues(condition: ExpectedValue): readonly PointValue[] {
  return "oneOf" in condition ? condition.oneOf : [condition.equals];
}

/** The conditions that an order to `value` has to meet. */
export function conditionsOf(
  interlock: Interlock | undefined,
  value: PointValue,
): readonly InterlockCondition[] {
  return (interlock?.all ?? []).filter(({ writing }) => writing === undefined || writing === value);
}

/** What a condition's point was found to be; a fault says why nobody knows. */
export type Finding = { readonly value: PointValue } | { readonly fault: string };

/** Why the conditions do not hold, for people; `undefined` when all do. Unknown is not met (I33). */
export function findUnmet<Condition extends ExpectedValue>(
  conditions: readonly Condition[],
  look: (condition: Condition) => { readonly pointId: string; readonly finding: Finding },
): string | undefined {
  for (const condition of conditions) {
    const { pointId, finding } = look(condition);
    const expected = expectedValues(condition);
    const must = `but must be ${expected.join(" or ")}`;
    if ("fault" in finding) return `${pointId} is not known (${finding.fault}), ${must}`;
    if (!expected.includes(finding.value)) return `${pointId} is ${finding.value}, ${must}`;
  }
  return undefined;
}
