import { type Clock, Minutes, type Uptime } from "../../domain/time.ts";

/** More than a city has gateways: after a power failure all may come at once, and each counts until it was judged. */
const PER_ADDRESS_MAX = 40;
const SPAN = Minutes(1);
const ADDRESSES_MAX = 1_000;

/**
 * Counts tries to redeem a claim that did not succeed: at most 40 a minute and address, and 1,000 addresses a minute
 * altogether. All gateways of a city may stand behind one address, so those that enrol are not counted.
 */
export class ClaimAttempts {
  readonly #clock: Clock;
  #tries = new Map<string, number>();
  #since: Uptime;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.uptime();
  }

  /** Whether one more try is allowed; counts it, as it may fail. */
  allow(address: string): boolean {
    const now = this.#clock.uptime();
    if (now - this.#since >= SPAN) {
      this.#tries = new Map();
      this.#since = now;
    }
    const tries = this.#tries.get(address) ?? 0;
    if (tries >= PER_ADDRESS_MAX || (tries === 0 && this.#tries.size >= ADDRESSES_MAX)) return false;
    this.#tries.set(address, tries + 1);
    return true;
  }

  /** Takes a try back that was none. */
  succeeded(address: string): void {
    const tries = this.#tries.get(address) ?? 0;
    if (tries > 0) this.#tries.set(address, tries - 1);
  }
}
