import { pino } from "pino";
import { settleHeap } from "../../../domain/system/heap.ts";
import { systemClock } from "../../../domain/system-clock.ts";
import { Seconds } from "../../../domain/time.ts";
import { loadRegisteredDriver } from "./load-registered-driver.ts";
import { serveFieldHost } from "./serve-field-host.ts";

/** A bus that can not be put away must not keep the process after its core is gone. */
const PUT_AWAY = Seconds(2);

settleHeap();
const [group = "field", level = "info"] = process.argv.slice(2);
const logger = pino(
  { level, base: { fieldHost: group, pid: process.pid } },
  pino.destination({ dest: 2, sync: true }),
);
const stop = new AbortController();
process.on("SIGTERM", () => stop.abort());
process.on("disconnect", () => systemClock.schedule(PUT_AWAY, () => process.exit(1)));
try {
  await serveFieldHost(
    process,
    { loadDriver: loadRegisteredDriver, clock: systemClock, logger },
    stop.signal,
  );
  process.exit(0);
} catch (error) {
  logger.fatal({ err: error }, "field host ends; it is started again by the gateway");
  process.exit(1);
}
