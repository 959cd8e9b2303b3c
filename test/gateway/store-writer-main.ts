import { writeSync } from "node:fs";
import type { PointChange } from "../../domain/reading.ts";
import { numberLamps, openTestStore, reading } from "./store-run.ts";

/**
 * Writes without pause until it is killed, and tells over its standard output only what the store called durable:
 * `T <from> <to>` for readings whose values are those numbers, `A <number>` for evidence. Values start at argv[3].
 */
const [folder = "", start = "1"] = process.argv.slice(2);
const store = await openTestStore({ folder });
const points = numberLamps(store, 50);
let next = Number(start);
writeSync(1, "open\n");
for (;;) {
  const from = next;
  const changes: PointChange[] = [];
  for (const point of points) {
    changes.push(reading(point, next));
    next += 1;
  }
  store.telemetry.accept(changes);
  store.evidence.append({ kind: "audit", action: "count", actor: "test", detail: String(from) });
  writeSync(1, `A ${from}\n`);
  await store.telemetry.flush();
  writeSync(1, `T ${from} ${next - 1}\n`);
}
