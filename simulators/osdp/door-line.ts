import type { LineEnd } from "../line/line-end.ts";
import type { DoorUnit } from "./door-unit.ts";
import { PacketCollector } from "./pd-frame.ts";

/** Hangs units on a line, all in parallel: each hears everything, and the one that is meant answers. */
export function hangOn(line: LineEnd, units: readonly DoorUnit[]): void {
  const collector = new PacketCollector();
  line.onBytes((bytes) => {
    for (const packet of collector.feed(bytes)) {
      for (const unit of units) {
        const answer = unit.answer(packet);
        if (answer !== undefined) line.write(answer);
      }
    }
  });
}
