import { pino } from "pino";
import { systemClock } from "../../../domain/system-clock.ts";
import { serveFieldHost } from "../../../gateway/field/host/serve-field-host.ts";
import { ScriptedDriver, ScriptedUnit } from "./scripted-driver.ts";

/** A field host process whose one bus is scripted: unit 1 is a lamp, unit 2 never answers a write, register 9 wedges the process, 8 leaks, 7 lets the driver hang. */
const hoard: unknown[] = [];
const lamp = new ScriptedUnit();
lamp.onWrite = (register, value) => {
  if (register === 9) for (;;);
  if (register === 8) setInterval(leak, 10);
  if (register === 7) lamp.latencyMs = 1e9;
  lamp.values.set(1, value);
};
const slow = new ScriptedUnit();
slow.losesWriteAnswers = true;
const driver = new ScriptedDriver({ "1": lamp, "2": slow });
const counter = setInterval(() => lamp.values.set(2, Number(lamp.values.get(2) ?? 0) + 1), 20);

const parts = {
  loadDriver: () => Promise.resolve(driver),
  clock: systemClock,
  logger: pino({ level: "silent" }),
};
await serveFieldHost(process, parts, new AbortController().signal);
clearInterval(counter);
process.exit(0);

/** 0.8 MB that stay. */
function leak(): void {
  hoard.push(Array.from({ length: 100_000 }, (_, index) => index + Math.random()));
}
