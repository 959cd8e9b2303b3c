import type { WrittenPoint, WrittenProfile } from "../profile-schema.ts";
import { type Complaint, show } from "../source/problem-list.ts";
import type { PlacedComplaint } from "./safety-complaints.ts";

/** What is wrong with the states of texts that the device keeps as numbers: one number must mean one thing. */
export function stateComplaints({ driver, points }: WrittenProfile): readonly PlacedComplaint[] {
  return [...points.entries()].flatMap(([index, point]) => {
    const at = ["points", index, "states"];
    const whole = wholeComplaint(point, driver);
    if (whole !== undefined) return [{ path: at, complaint: whole }];
    return bandComplaints(point.states ?? []).map(({ band, key, complaint }) => ({
      path: [...at, band, key],
      complaint,
    }));
  });
}

function wholeComplaint({ states, type, access }: WrittenPoint, driver: string): Complaint | undefined {
  if (states === undefined) return undefined;
  const fits = type === "text" && access === "read" && driver === "modbus";
  if (fits) return undefined;
  const found = `states on a ${type} with access ${access} over ${driver}`;
  return {
    at: "key",
    found,
    expected: "a text that is only read, over modbus",
    remedy: "make it one, or remove states",
  };
}

function bandComplaints(states: NonNullable<WrittenPoint["states"]>) {
  return states.flatMap(({ from, to }, band) => {
    if (from > to) {
      const complaint = { found: show(from), expected: `at most ${to}, its to`, remedy: "swap from and to" };
      return [{ band, key: "from", complaint }];
    }
    const other = states.findIndex((each, at) => at < band && each.from <= to && from <= each.to);
    if (other < 0) return [];
    const complaint = {
      found: `${from} to ${to}, which meets ${states[other]?.is}`,
      expected: "numbers that mean one thing",
      remedy: "mend the bounds of one of the two",
    };
    return [{ band, key: "from", complaint }];
  });
}
