import { exponentialBackoff } from "../../../domain/backoff.ts";
import type { ProbeCheck } from "../../../domain/profile.ts";
import type { PointValue } from "../../../domain/reading.ts";
import { Minutes, Seconds } from "../../../domain/time.ts";
import type { Sample } from "../../../drivers/driver.ts";
import type { DeviceProbe } from "../field-plan.ts";

/** A wrong device is looked at again after 10, 20 … 600 s: somebody may mend it. */
const RETEST = { min: Seconds(10), max: Minutes(10) };

/**
 * Whether one device is what its profile says (`probe`). Until that is proven none of its values is told and nothing
 * is written to it; it is asked anew with each session and after each silence, for a device may have been exchanged.
 */
export class DeviceVetting {
  readonly device: DeviceProbe["device"];
  /** Of all the device's points. */
  readonly slots: readonly number[];
  /** Of the points that the checks ask, each once. */
  readonly askedSlots: readonly number[];
  readonly #checks: readonly { readonly slot: number; readonly check: ProbeCheck }[];
  readonly #found = new Map<number, Sample>();
  #verdict: "unproven" | "right" | "wrong" = "unproven";
  #why = "";
  #failures = 0;
  #retestAt = 0;

  constructor(probe: DeviceProbe, slotOf: (number: DeviceProbe["points"][number]) => number) {
    this.device = probe.device;
    this.slots = probe.points.map(slotOf);
    this.#checks = probe.checks.map(({ number, check }) => ({ slot: slotOf(number), check }));
    this.askedSlots = [...new Set(this.#checks.map(({ slot }) => slot))];
  }

  get verdict(): "unproven" | "right" | "wrong" {
    return this.#verdict;
  }

  /** Why it is not that device, for people; empty unless it is wrong. */
  get why(): string {
    return this.#why;
  }

  /** A session begins, or the unit was silent: nothing is proven any more. What was wrong stays wrong until it is not. */
  doubt(): void {
    this.#found.clear();
    this.#retestAt = 0;
    if (this.#verdict === "right") this.#verdict = "unproven";
  }

  /** Whether it is to be asked now; then not again before it was judged. */
  takeTurn(now: number): "ask" | "wait" {
    if (this.#verdict === "right" || now < this.#retestAt) return "wait";
    this.#found.clear();
    this.#retestAt = Number.POSITIVE_INFINITY;
    return "ask";
  }

  /** Notes what an exchange brought; judges once all is there. `undefined`: not yet. */
  note(slots: ArrayLike<number>, samples: readonly Sample[], now: number): "right" | "wrong" | undefined {
    for (const [index, sample] of samples.entries()) this.#found.set(slots[index] ?? -1, sample);
    if (this.askedSlots.some((slot) => !this.#found.has(slot))) return undefined;
    const unmet = this.#checks.find(({ slot, check }) => !isMet(check, this.#found.get(slot)));
    if (unmet === undefined) {
      this.#verdict = "right";
      this.#why = "";
      this.#failures = 0;
      return "right";
    }
    this.#failures += 1;
    this.#retestAt = now + exponentialBackoff(this.#failures, RETEST);
    this.#verdict = "wrong";
    this.#why = describe(unmet.check, this.#found.get(unmet.slot));
    return "wrong";
  }
}

/** Whether the check holds; what has no value holds nothing. */
export function isMet(check: ProbeCheck, sample: Sample | undefined): boolean {
  if (sample === undefined || !("value" in sample)) return false;
  const { value } = sample;
  if ("equals" in check) return value === check.equals;
  if ("oneOf" in check) return check.oneOf.includes(value);
  if ("matches" in check) return typeof value === "string" && new RegExp(check.matches, "u").test(value);
  return typeof value === "number" && value >= check.min && value <= check.max;
}

function describe(check: ProbeCheck, sample: Sample | undefined): string {
  const expected = (): string => {
    if ("equals" in check) return show(check.equals);
    if ("oneOf" in check) return check.oneOf.map(show).join(" or ");
    return "matches" in check ? `like ${check.matches}` : `${check.min} to ${check.max}`;
  };
  const found = (): string => {
    if (sample === undefined) return "was not read";
    if ("value" in sample) return `is ${show(sample.value)}`;
    return "fault" in sample ? `can not be read (${sample.fault.code})` : "has no value";
  };
  return `${check.point} ${found()}, expected ${expected()}: ${check.why}`;
}

function show(value: PointValue): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
