import type { Logger } from "pino";
import type { LoopService } from "../../domain/service.ts";
import { type Clock, Days, Hours, Instant, type Millis } from "../../domain/time.ts";
import type { Database } from "../store/database.ts";
import { dropDaysBefore } from "../store/tables/day-partitions.ts";
import { dropDigestsBefore } from "../store/tables/entry-digests.ts";

const PERIOD = Hours(1);
/** A repeat comes within minutes; one with another content after this is taken for a plain repeat (I3). */
const KEEP_DIGESTS = Days(8);
/** A year and a month of readings, so that a winter can be held against the one before. */
export const KEEP_READINGS_DEFAULT = Days(395);

export interface HousekeepingParts {
  readonly database: Database;
  /** How long readings stay, by the day of their gateway timestamp. Evidence, events and commands are not touched. */
  readonly keepReadings?: Millis;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Forgets what ingest no longer needs, and readings whose time is over: a day at once, by dropping its partition. */
export class Housekeeping implements LoopService {
  readonly name = "housekeeping";
  readonly #parts: HousekeepingParts;

  constructor(parts: HousekeepingParts) {
    this.#parts = parts;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#parts;
    while (!signal.aborted) {
      await this.#tidy().catch((err: unknown) => {
        logger.error({ err }, "what is old could not be dropped: it is tried again in an hour");
      });
      await clock.sleep(PERIOD, signal).catch(() => undefined);
    }
  }

  async #tidy(): Promise<void> {
    const { database, clock, logger, keepReadings = KEEP_READINGS_DEFAULT } = this.#parts;
    await dropDigestsBefore(database, Instant(clock.now() - KEEP_DIGESTS));
    const days = await dropDaysBefore(database, Instant(clock.now() - keepReadings));
    if (days > 0) logger.info({ days }, "dropped the readings of old days");
  }
}
