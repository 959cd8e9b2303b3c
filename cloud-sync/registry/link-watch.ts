import type { Logger } from "pino";
import type { LoopService } from "../../domain/service.ts";
import { type Clock, Seconds } from "../../domain/time.ts";
import type { SyncRegister } from "./sync-register.ts";

const PERIOD = Seconds(1);

/** Sees that a silent gateway is shown as such: `degraded` after 8 s, `down` after three missed heartbeats. */
export class LinkWatch implements LoopService {
  readonly name = "link-watch";
  readonly #register: Pick<SyncRegister, "judgeLinks">;
  readonly #clock: Clock;
  readonly #logger: Logger;

  constructor(
    register: Pick<SyncRegister, "judgeLinks">,
    parts: { readonly clock: Clock; readonly logger: Logger },
  ) {
    this.#register = register;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#register.judgeLinks().catch((err: unknown) => {
        this.#logger.error({ err }, "the state of links could not be written: it is tried again");
      });
      await this.#clock.sleep(PERIOD, signal).catch(() => undefined);
    }
  }
}
