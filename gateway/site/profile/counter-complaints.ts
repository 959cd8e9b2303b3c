import { isEpochOf } from "../../../domain/point.ts";
import type { WrittenPoint, WrittenProfile } from "../profile-schema.ts";
import type { Complaint } from "../source/problem-list.ts";
import type { PlacedComplaint } from "./safety-complaints.ts";

/** What is wrong with counters: a total needs its epoch, both read the same place, and neither proves or permits a write. */
export function counterComplaints(written: WrittenProfile): readonly PlacedComplaint[] {
  return [...written.points.entries()].flatMap(([index, point]) => {
    if (point.counter === undefined) return [];
    const at = ["points", index, "counter"];
    const complaint =
      kindComplaint(point) ??
      widthComplaint(point) ??
      usedComplaint(point, written) ??
      pairComplaint(point, written);
    return complaint === undefined ? [] : [{ path: at, complaint }];
  });
}

function kindComplaint({ type, access, scale, deadband, unit }: WrittenPoint): Complaint | undefined {
  const isCount =
    type === "number" && access === "read" && scale === undefined && deadband === 0 && unit === "1";
  if (isCount) return undefined;
  return {
    at: "key",
    found: `a counter on a ${type} with access ${access}, unit ${unit ?? "none"}, deadband ${deadband ?? "none"}${scale === undefined ? "" : " and a scale"}`,
    expected:
      "a number that is only read, unit 1, deadband 0, without scale: what is counted are whole numbers",
    remedy: "make it one, or remove counter",
  };
}

function widthComplaint({ counter, range }: WrittenPoint): Complaint | undefined {
  if (counter === undefined || "epochOf" in counter) return undefined;
  if (range !== undefined)
    return { found: "a counter with a range", expected: "no range: a total grows", remedy: "remove range" };
  const most = 2 ** counter.bits / 2;
  if (counter.maxStep <= most) return undefined;
  return {
    found: `maxStep ${counter.maxStep}`,
    expected: `at most ${most}, half of what ${counter.bits} bits hold: else a reset looks like a roll-over`,
    remedy: "write what can pass at most between two readings",
  };
}

/** Proofs and conditions are judged on the bus, where a counter is what the device shows. */
function usedComplaint(
  { name }: WrittenPoint,
  { points, interlocks, probe = [] }: WrittenProfile,
): Complaint | undefined {
  const asked = [
    ...points.map(({ readBack }) => readBack?.point),
    ...Object.values(interlocks).flatMap(({ all }) => all.map(({ point }) => point)),
    ...probe.map(({ point }) => point),
  ];
  if (!asked.includes(name)) return undefined;
  return {
    at: "key",
    found: `${name}, which proves or permits something`,
    expected: "no counter on such a point",
    remedy: "let the point that shows the device's own number prove it",
  };
}

function pairComplaint(point: WrittenPoint, { points }: WrittenProfile): Complaint | undefined {
  const { counter, name } = point;
  if (counter === undefined) return undefined;
  const isEpoch = "epochOf" in counter;
  const partners = points.filter((other) => isPair(other, point));
  const [partner] = partners;
  if (partner === undefined || partners.length > 1) {
    const expected = isEpoch
      ? `${counter.epochOf}, a point with counter: { bits, maxStep }, in the profile`
      : `one point with counter: { epochOf: ${name} } in the profile: a total alone can not be gone on with after a restart`;
    const found = partner === undefined ? "no such point" : "two such points";
    return { found, expected, remedy: isEpoch ? "mend the name" : "write one, with the same address" };
  }
  const isSamePlace =
    JSON.stringify(partner.address) === JSON.stringify(point.address) &&
    partner.pollClass === point.pollClass;
  if (isSamePlace) return undefined;
  return {
    found: `another address or pollClass than ${partner.name}`,
    expected: "the same: both are made of one reading",
    remedy: "write the address and pollClass of the one to the other",
  };
}

function isPair(one: WrittenPoint, other: WrittenPoint): boolean {
  return isTotalAndEpoch(one, other) || isTotalAndEpoch(other, one);
}

function isTotalAndEpoch({ counter, name }: WrittenPoint, epoch: WrittenPoint): boolean {
  return counter !== undefined && "bits" in counter && isEpochOf(epoch, name);
}
