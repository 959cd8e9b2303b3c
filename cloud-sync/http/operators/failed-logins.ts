import { type Clock, Minutes, type Uptime } from "../../../domain/time.ts";

const PER_ADDRESS_MAX = 20;
const SPAN = Minutes(1);
const ADDRESSES_MAX = 1_000;

/** Counts tokens that did not work: past 20 a minute and address, and past 1,000 addresses, the answer is to wait. */
export class FailedLogins {
  readonly #clock: Clock;
  #failures = new Map<string, number>();
  #since: Uptime;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.uptime();
  }

  /** One more. Whether it is one too many. */
  count(address: string): "too-many" | "counted" {
    const now = this.#clock.uptime();
    if (now - this.#since >= SPAN) {
      this.#failures = new Map();
      this.#since = now;
    }
    const failures = this.#failures.get(address) ?? 0;
    if (failures >= PER_ADDRESS_MAX) return "too-many";
    if (failures === 0 && this.#failures.size >= ADDRESSES_MAX) return "too-many";
    this.#failures.set(address, failures + 1);
    return "counted";
  }
}
