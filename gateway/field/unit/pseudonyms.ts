import { createHmac } from "node:crypto";
import type { Sample } from "../../../drivers/driver.ts";
import type { FieldPoint } from "../field-plan.ts";

const HASH_DIGITS = 16;
/** Last characters that stay readable, so that a person can tell two badges apart; never more than a third of a number. */
const SHOWN_MAX = 4;

/** `7f3a9c21b0de4455-4711`: the first 64 bits of HMAC-SHA-256 under the gateway's key, and the last characters. */
export function pseudonymOf(text: string, key: string): string {
  const hash = createHmac("sha256", Buffer.from(key, "hex")).update(text).digest("hex");
  const shown = Math.min(SHOWN_MAX, Math.floor(text.length / 3));
  return `${hash.slice(0, HASH_DIGITS)}-${text.slice(text.length - shown)}`;
}

/** Takes names of persons out of a unit's samples before anything else sees them (DOMAIN F.1, rule 6). */
export class Pseudonyms {
  /** By slot: 1 where the point is pseudonymous. */
  readonly #isPrivate: Uint8Array;
  readonly #hasPrivate: boolean;
  readonly #key: string;

  /** `key`: hexadecimal; of no use where no point is pseudonymous. @throws {RangeError} when one is, and there is none. */
  constructor(points: readonly FieldPoint[], key: string | undefined) {
    this.#isPrivate = Uint8Array.from(points, ({ definition }) =>
      definition.privacy === "pseudonymous" ? 1 : 0,
    );
    this.#hasPrivate = this.#isPrivate.includes(1);
    if (key === undefined && this.#hasPrivate) throw new RangeError("pseudonyms need a key");
    this.#key = key ?? "";
  }

  /** `samples[i]` belongs to `slots[i]`. */
  hide(slots: ArrayLike<number>, samples: readonly Sample[]): readonly Sample[] {
    if (!this.#hasPrivate) return samples;
    return samples.map((sample, index) =>
      this.#isPrivate[slots[index] ?? -1] === 1 && "value" in sample
        ? { ...sample, value: pseudonymOf(String(sample.value), this.#key) }
        : sample,
    );
  }
}
