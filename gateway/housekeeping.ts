import type { Logger } from "pino";
import type { LoopService } from "../domain/service.ts";
import { type Clock, Minutes } from "../domain/time.ts";
import { type Store, StoreError } from "./store/store.ts";
import type { ClockTrust } from "./uplink/clock-trust.ts";

const EVERY = Minutes(1);
/** In rounds, while there is room; the first is one of them and makes the ballast. */
const RETENTION_EVERY = 5;

type HousekeptStore = Pick<Store, "health" | "runRetention"> & {
  readonly sync: Pick<Store["sync"], "disk" | "rememberSafeTime">;
};

/** What must be done now and then: the floor below which no clock is believed, and the age of what is stored. */
export class Housekeeping implements LoopService {
  readonly name = "housekeeping";
  readonly #store: HousekeptStore;
  readonly #trust: Pick<ClockTrust, "quality">;
  readonly #clock: Clock;
  readonly #logger: Logger;

  constructor(
    store: HousekeptStore,
    trust: Pick<ClockTrust, "quality">,
    { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  ) {
    this.#store = store;
    this.#trust = trust;
    this.#clock = clock;
    this.#logger = logger;
  }

  async run(signal: AbortSignal): Promise<void> {
    for (let round = 1; ; round += 1) {
      try {
        await this.#clock.sleep(EVERY, signal);
      } catch (error) {
        if (!signal.aborted) throw error;
        await this.#onDisk(() => this.#rememberTime());
        return;
      }
      await this.#onDisk(() => this.#rememberTime());
      await this.#onDisk(async () => {
        if (round % RETENTION_EVERY === 1 || this.#isTight())
          await this.#store.runRetention(this.#clock.now());
      });
    }
  }

  #isTight(): boolean {
    return this.#store.health().pressure !== "none" || this.#store.sync.disk().state !== "ok";
  }

  /** A disk that fails stops neither the field nor what is local (PROTOCOL §5): the next round tries again. */
  async #onDisk(work: () => unknown): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#logger.warn({ err: error }, "the store could not be tidied up");
    }
  }

  /** PROTOCOL §6: only a time that somebody vouched for may become the floor. */
  #rememberTime(): void {
    if (this.#trust.quality() === "synced") this.#store.sync.rememberSafeTime(this.#clock.now());
  }
}
