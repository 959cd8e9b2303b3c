import type { ReadBackEvidence } from "../../domain/command.ts";
import type { DeviceFault } from "../../domain/errors.ts";
import type { PointValue } from "../../domain/reading.ts";
import { unreachable } from "../../domain/unreachable.ts";
import type { Sample } from "../../drivers/driver.ts";

/** What came back on a write. `no-answer`: nothing, or nothing that makes sense; it may have acted. */
export type WriteAnswer =
  /** `returned`: what an action gave back. */
  | { readonly kind: "acknowledged"; readonly returned?: PointValue }
  | { readonly kind: "refused"; readonly fault: DeviceFault }
  | { readonly kind: "no-answer"; readonly fault: DeviceFault };

/** What a read-back point showed: a value fit as proof, or why there is none. */
export type Proof = { readonly value: PointValue } | { readonly fault: string };

export interface Verdict {
  readonly outcome: "succeeded" | "failed" | "outcome-unknown";
  readonly detail: string;
}

/** Half a unit in the last place of what meters show: 0.1 + 0.2 agrees with 0.3. */
const ROUNDING = 1e-9;

/** Whether both are the same value; numbers within `tolerance`, inclusive. */
export function agree(left: PointValue, right: PointValue, tolerance: number): boolean {
  if (typeof left === "number" && typeof right === "number")
    return Math.abs(left - right) <= tolerance + ROUNDING;
  return left === right;
}

/** Only a fresh value of good quality proves anything: a manual switch or a last usable value is not our effect. */
export function proofOf(sample: Sample | undefined): Proof {
  if (sample === undefined) return { fault: "not-read" };
  if ("fault" in sample) return { fault: sample.fault.code };
  if ("sentinel" in sample) return { fault: "sentinel" };
  if ("bad" in sample) return { fault: sample.bad };
  if (sample.quality !== undefined) return { fault: sample.quality };
  if (typeof sample.value === "number" && !Number.isFinite(sample.value)) return { fault: "sentinel" };
  return { value: sample.value };
}

/** Whether more read-backs could change nothing: what they show already decides, or all that can be known is. */
export function isDecided(
  answer: WriteAnswer,
  readBacks: readonly ReadBackEvidence[],
  tolerance: number,
): boolean {
  if (answer.kind === "refused") return isUnchanged(readBacks, tolerance);
  return readBacks.every((readBack) => readBack.agrees);
}

/**
 * How a write ended (PROTOCOL §8; docs/decisions/0006). Success needs the acknowledgement and every read-back (I24);
 * failure needs the device's own no and the proof that nothing moved; all else can not be known (I26).
 */
export function judgeOperation(
  target: PointValue,
  answer: WriteAnswer,
  readBacks: readonly ReadBackEvidence[],
  tolerance: number,
): Verdict {
  const shown = describe(target, readBacks) + describeReturn(answer);
  const allAgree = readBacks.length > 0 && readBacks.every((readBack) => readBack.agrees);
  switch (answer.kind) {
    case "acknowledged":
      if (allAgree) return { outcome: "succeeded", detail: shown };
      return unknown(
        readBacks.length === 0
          ? `acknowledged, but no point shows the effect${describeReturn(answer)}`
          : `acknowledged, but ${shown}`,
      );
    case "refused":
      if (readBacks.length > 0 && isUnchanged(readBacks, tolerance)) {
        return {
          outcome: "failed",
          detail: `the device refused (${answer.fault.message}) and nothing changed: ${shown}`,
        };
      }
      return unknown(
        `the device refused (${answer.fault.message}), but that nothing changed is not proven: ${shown}`,
      );
    case "no-answer":
      return unknown(`no acknowledgement came (${answer.fault.message}); ${shown}`);
    default:
      return unreachable(answer);
  }
}

function unknown(detail: string): Verdict {
  return { outcome: "outcome-unknown", detail: `${detail}. Look at the device, then resolve the command` };
}

function isUnchanged(readBacks: readonly ReadBackEvidence[], tolerance: number): boolean {
  return readBacks.every(
    ({ before, value }) => before !== null && value !== null && agree(before, value, tolerance),
  );
}

function describe(target: PointValue, readBacks: readonly ReadBackEvidence[]): string {
  const [first, ...others] = readBacks;
  if (first === undefined) return "the profile names no read-back";
  const agreeing = readBacks.filter((readBack) => readBack.agrees).length;
  if (others.length > 0) return `${agreeing} of ${readBacks.length} points read back ${target}`;
  if (first.value === null) return `the read-back could not be read (${first.fault ?? "no value"})`;
  return `read back ${first.value} of ${target}, before it was ${first.before ?? "unknown"}`;
}

function describeReturn(answer: WriteAnswer): string {
  const isReturn = answer.kind === "acknowledged" && answer.returned !== undefined;
  return isReturn ? `; the device returned ${answer.returned}` : "";
}
