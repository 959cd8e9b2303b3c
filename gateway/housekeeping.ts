import type { LoopService } from "../domain/service.ts";
import { type Clock, Minutes } from "../domain/time.ts";
import type { Store } from "./store/store.ts";
import type { ClockTrust } from "./uplink/clock-trust.ts";

const EVERY = Minutes(1);
/** In rounds. */
const RETENTION_EVERY = 5;

/** What must be done now and then: the floor below which no clock is believed, and the age of what is stored. */
export class Housekeeping implements LoopService {
  readonly name = "housekeeping";
  readonly #store: Store;
  readonly #trust: Pick<ClockTrust, "quality">;
  readonly #clock: Clock;

  constructor(store: Store, trust: Pick<ClockTrust, "quality">, clock: Clock) {
    this.#store = store;
    this.#trust = trust;
    this.#clock = clock;
  }

  async run(signal: AbortSignal): Promise<void> {
    for (let round = 1; ; round += 1) {
      try {
        await this.#clock.sleep(EVERY, signal);
      } catch (error) {
        if (!signal.aborted) throw error;
        this.#rememberTime();
        return;
      }
      this.#rememberTime();
      if (round % RETENTION_EVERY === 0) await this.#store.runRetention(this.#clock.now());
    }
  }

  /** PROTOCOL §6: only a time that somebody vouched for may become the floor. */
  #rememberTime(): void {
    if (this.#trust.quality() === "synced") this.#store.sync.rememberSafeTime(this.#clock.now());
  }
}
