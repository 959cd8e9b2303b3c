import type { Logger } from "pino";
import type { LoopService } from "../../domain/service.ts";
import { type Clock, Days, Hours, Instant } from "../../domain/time.ts";
import type { Database } from "../store/database.ts";
import { dropDigestsBefore } from "../store/tables/entry-digests.ts";

const PERIOD = Hours(1);
/** A repeat comes within minutes; one with another content after this is taken for a plain repeat (I3). */
const KEEP_DIGESTS = Days(8);

/** Forgets what ingest no longer needs. */
export class Housekeeping implements LoopService {
  readonly name = "housekeeping";
  readonly #parts: { readonly database: Database; readonly clock: Clock; readonly logger: Logger };

  constructor(parts: { readonly database: Database; readonly clock: Clock; readonly logger: Logger }) {
    this.#parts = parts;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { database, clock, logger } = this.#parts;
    while (!signal.aborted) {
      await dropDigestsBefore(database, Instant(clock.now() - KEEP_DIGESTS)).catch((err: unknown) => {
        logger.error({ err }, "old digests could not be dropped: it is tried again in an hour");
      });
      await clock.sleep(PERIOD, signal).catch(() => undefined);
    }
  }
}
