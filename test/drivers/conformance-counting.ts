import { setTimeout as pause } from "node:timers/promises";
import type { Test } from "tap";
import type { BusHealth } from "../../domain/line/line-health.ts";
import {
  type ConformanceSubject,
  faultCode,
  openLine,
  REQUEST_TIMEOUT,
  readAll,
  readFirst,
} from "./conformance-line.ts";

const NOTHING_COUNTED: BusHealth = { requests: 0, answers: 0, retries: 0, silences: 0, hints: [] };

/** What a bus owes those who look after its line. */
export function counting<B, A>(t: Test, subject: ConformanceSubject<B, A>): void {
  const { counts, requestTimeout = REQUEST_TIMEOUT } = subject;
  t.test("what a line suffers is counted, and what nobody could see is not told as 0", async (t) => {
    await using line = await openLine(subject);
    if (counts === undefined || line.bus.health === undefined) {
      t.same([line.bus.health, counts], [undefined, undefined]);
      return;
    }
    const health = () => line.bus.health?.() ?? NOTHING_COUNTED;
    t.same(await readAll(line), line.expected);
    const { requests, answers, hints, ...rest } = health();
    t.ok(requests > 0 && answers === requests, `${answers} of ${requests}`);
    t.same(rest, Object.fromEntries(["retries", "silences", ...counts].map((count) => [count, 0])));
    line.unit.fallSilent();
    await faultCode(t, readFirst(line));
    t.ok(health().silences > 0, "a silence");
    line.unit.speak();
    line.unit.answerNextMalformed();
    await faultCode(t, readFirst(line));
    const { crcErrors = 0, shortFrames = 0, noiseBytes = 0, retries } = health();
    t.ok(crcErrors + shortFrames + noiseBytes > 0, "a damaged answer");
    t.ok(retries > 0, "asked after a silence");
  });
  t.test("a late answer is counted as late", async (t) => {
    if (counts?.includes("lateReplies") !== true) return;
    await using line = await openLine(subject);
    line.unit.answerNextLate(requestTimeout + 60);
    await faultCode(t, readFirst(line));
    // Until all that is late has come, also what was sent twice.
    await pause(200);
    t.same(await readAll(line), line.expected);
    t.ok((line.bus.health?.().lateReplies ?? 0) > 0);
    t.equal(line.bus.health?.().unexpectedSenders ?? 0, 0);
  });
}
