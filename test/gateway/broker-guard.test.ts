import { once } from "node:events";
import type { Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import t from "tap";
import type { PointNumber } from "../../domain/ids.ts";
import { LengthGuard, OversizedPacketError } from "../../gateway/broker/length-guard.ts";
import { isReadable, overlapsCommands } from "../../gateway/broker/topics.ts";
import { retainedTwins, twinMessage } from "../../gateway/broker/twin-message.ts";
import { PUBLISH_INTERVAL, TwinPublisher } from "../../gateway/broker/twin-publisher.ts";
import { SimulatedClock } from "../simulated-clock.ts";
import { COMMAND, connectPacket, lengthBytes, openBroker, packet, SITE, stored } from "./broker-bench.ts";
import { POINTS } from "./control-bench.ts";

const USER = { name: "panel", password: "secret" };
const CONNACK_ACCEPTED = Buffer.from([0x20, 2, 0, 0]);

async function closes(socket: Socket): Promise<boolean> {
  if (!socket.destroyed) await once(socket.resume(), "close");
  return socket.destroyed;
}

t.test(
  "F39 what no client of ours sends before it is let in closes its connection, and no other",
  async (t) => {
    const { socket, client } = await openBroker(t);
    const wall = await client("wall");
    const cases: Readonly<Record<string, readonly Buffer[]>> = {
      "a CONNECT of 17 KiB": [packet(0x10, Buffer.alloc(17 * 1024))],
      "a CONNECT that only tells 268 MB": [Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f])],
      "a length of five bytes": [Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 1])],
      "a first packet that is no CONNECT": [Buffer.from([0xc0, 0])],
      "a CONNECT that is none": [packet(0x10, Buffer.alloc(20, 0xff))],
      noise: [Buffer.from("GET / HTTP/1.1\r\n\r\n")],
      "70 KiB behind a CONNECT": [
        connectPacket("much", USER),
        ...Array.from({ length: 5 }, () => packet(0x30, Buffer.alloc(14 * 1024))),
      ],
      "a second CONNECT": [connectPacket("one", USER), connectPacket("two", USER)],
    };
    for (const [name, packets] of Object.entries(cases)) {
      const each = await socket();
      each.write(Buffer.concat(packets));
      t.ok(await closes(each), name);
    }
    t.ok(wall.connected);
  },
);

t.test("a CONNECT that comes byte by byte is let in; 257 KiB after it close the connection", async (t) => {
  const { socket } = await openBroker(t);
  const slow = await socket();
  slow.setNoDelay(true);
  const answer = once(slow, "data");
  for (const byte of connectPacket("slow", USER)) {
    slow.write(Buffer.from([byte]));
    await turn();
  }
  t.same((await answer)[0], CONNACK_ACCEPTED);
  slow.write(Buffer.concat([Buffer.from([0x30]), lengthBytes(257 * 1024)]));
  t.ok(await closes(slow));
});

t.test("256 KiB are let through once a client is in", async (t) => {
  const { socket, client } = await openBroker(t);
  const big = await socket();
  big.write(connectPacket("big", USER));
  await once(big, "data");
  const topic = Buffer.from(COMMAND);
  const body = Buffer.alloc(256 * 1024, "x");
  Buffer.from([0, topic.length]).copy(body);
  topic.copy(body, 2);
  big.write(packet(0x30, body));
  big.write(Buffer.from([0xc0, 0]));
  t.same((await once(big, "data"))[0], Buffer.from([0xd0, 0]), "a ping is answered after it");
  t.ok((await client("wall")).connected);
});

/** What the guard lets through of these chunks, and whether it refused. */
async function guard(chunks: readonly Buffer[], connected: "connected" | "not") {
  const lengthGuard = new LengthGuard(() => connected === "connected");
  const passed: Buffer[] = [];
  let refusal: unknown = null;
  lengthGuard.on("data", (chunk: Buffer) => passed.push(chunk));
  lengthGuard.on("error", (error) => {
    refusal = error;
  });
  for (const chunk of chunks) if (refusal === null) lengthGuard.write(chunk);
  await turn();
  return { passed: Buffer.concat(passed), refusal };
}

t.test("before a client is let in 64 KiB pass in all, after it any number of packets", async (t) => {
  const pings = Array.from({ length: 70 }, () => packet(0x30, Buffer.alloc(1_021)));
  const stream = [packet(0x10, Buffer.alloc(12)), ...pings];
  const outside = await guard(stream, "not");
  t.match(outside.refusal, { name: OversizedPacketError.name, message: /more than 65536 bytes/ });
  t.equal(outside.passed.length, 14 + 63 * 1_024);
  t.equal((await guard(stream, "connected")).refusal, null);
});

t.test("however a stream is cut into chunks, the guard decides the same", async (t) => {
  const length = fc.oneof(
    fc.integer({ min: 0, max: 300 }),
    fc.constantFrom(16 * 1024, 16 * 1024 + 1, 256 * 1024, 256 * 1024 + 1, 2_097_152),
  );
  const some = fc.record({ first: fc.constantFrom(0x10, 0x10, 0x30, 0xc0), length, whole: fc.boolean() });
  const noise = fc.uint8Array({ maxLength: 12 });
  const result = await fc.check(
    fc.asyncProperty(
      fc.array(some, { minLength: 1, maxLength: 5 }),
      noise,
      fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 8 }),
      fc.constantFrom("connected" as const, "not" as const),
      async (packets, tail, cuts, connected) => {
        const bytes = Buffer.concat([
          packet(0x10, Buffer.alloc(12)),
          ...packets.flatMap((each) => [
            Buffer.concat([Buffer.from([each.first]), lengthBytes(each.length)]),
            Buffer.alloc(each.whole ? Math.min(each.length, 300_000) : 0),
          ]),
          Buffer.from(tail),
        ]);
        const chunks: Buffer[] = [];
        for (let at = 0, turns = 0; at < bytes.length; turns += 1) {
          const size = cuts[turns % cuts.length] ?? 1;
          chunks.push(bytes.subarray(at, at + size));
          at += size;
        }
        const whole = await guard([bytes], connected);
        const cut = await guard(chunks, connected);
        const same = (whole.refusal === null) === (cut.refusal === null);
        const faithful = cut.refusal !== null || cut.passed.equals(bytes);
        const kind = cut.refusal === null || cut.refusal instanceof OversizedPacketError;
        return same && faithful && kind && bytes.subarray(0, cut.passed.length).equals(cut.passed);
      },
    ),
    { numRuns: 150 },
  );
  t.comment(`SEED=${result.seed}`);
  t.equal(result.failed, false, fc.defaultReportMessage(result) ?? "");
});

t.test("no filter that a client may subscribe to can ever meet a command topic", (t) => {
  const level = fc.constantFrom(
    "sc",
    "v1",
    "old-town",
    "other",
    "+",
    "#",
    "lamp-1",
    "command",
    "reported",
    "verdict",
    "",
  );
  const result = fc.check(
    fc.property(fc.array(level, { minLength: 1, maxLength: 8 }), (levels) => {
      const filter = levels.join("/");
      return !isReadable(filter, SITE) || !(overlapsCommands(filter) || matches(levels, COMMAND.split("/")));
    }),
    { numRuns: 20_000 },
  );
  t.comment(`SEED=${result.seed}`);
  t.equal(result.failed, false, fc.defaultReportMessage(result) ?? "");
  t.end();
});

t.test("a subscriber is told exactly the retained twins that its filter covers", (t) => {
  const twins = [stored(1, 40), stored(2, 41, 2), stored(999, 1)];
  const source = {
    siteId: SITE,
    findPoint: (number: PointNumber) => POINTS.findByNumber(number),
    latestAll: () => twins,
  };
  const topics = twins.flatMap((twin) => twinMessage(twin, source)?.topic ?? []);
  t.equal(topics.length, 2, "of a point that the site has no more nothing is told");
  const filter = fc
    .tuple(
      fc.constantFrom("lamp-1", "lamp-2", "+"),
      fc.constantFrom("reported", "verdict"),
      fc.array(fc.constantFrom("dim-level", "actual-level", "+", "#", ""), { maxLength: 3 }),
    )
    .map(([device, kind, rest]) => ["sc", "v1", SITE, device, kind, ...rest])
    .filter((levels) => levels.every((each, index) => each !== "#" || index === levels.length - 1));
  const result = fc.check(
    fc.property(filter, (levels) => {
      const told = [...retainedTwins([levels.join("/")], source)].map(({ topic }) => topic);
      const covered = topics.filter((topic) => matches(levels, topic.split("/")));
      return JSON.stringify(told) === JSON.stringify(covered);
    }),
    { numRuns: 2_000 },
  );
  t.comment(`SEED=${result.seed}`);
  t.equal(result.failed, false, fc.defaultReportMessage(result) ?? "");
  t.end();
});

/** MQTT 3.1.1 §4.7, written anew. */
function matches(filter: readonly string[], topic: readonly string[]): boolean {
  const [asked, ...restOfFilter] = filter;
  if (asked === "#") return true;
  const [level, ...restOfTopic] = topic;
  if (asked === undefined || level === undefined) return asked === level;
  return (asked === "+" || asked === level) && matches(restOfFilter, restOfTopic);
}

t.test("a point is published at most once a second, and its last value is never lost", async (t) => {
  const step = fc.record({
    ms: fc.integer({ min: 0, max: 1_200 }),
    point: fc.constantFrom(1, 2, 3, 999),
    flush: fc.boolean(),
  });
  const result = await fc.check(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const clock = new SimulatedClock();
      const sent = new Map<string, { readonly at: number; readonly version: number }[]>();
      const publisher = new TwinPublisher({
        siteId: SITE,
        findPoint: (number) => POINTS.findByNumber(number),
        clock,
        publish: ({ topic, payload }) => {
          const of = sent.get(topic) ?? [];
          of.push({ at: clock.uptime(), version: JSON.parse(payload).stateVersion });
          sent.set(topic, of);
        },
      });
      const last = new Map<number, number>();
      for (const [index, { ms, point, flush }] of steps.entries()) {
        publisher.take([stored(point, index, index + 1)]);
        if (POINTS.findByNumber(point as PointNumber) !== undefined) last.set(point, index + 1);
        await clock.advance(ms);
        if (flush) publisher.flush();
      }
      await clock.advance(PUBLISH_INTERVAL);
      publisher.flush();
      const lists = [...sent.values()];
      const spaced = lists.every((list) =>
        list.every(({ at, version }, index) => {
          const before = list[index - 1];
          return before === undefined || (at - before.at >= PUBLISH_INTERVAL && version > before.version);
        }),
      );
      const lasts = lists.map((list) => list.at(-1)?.version).toSorted();
      return spaced && JSON.stringify(lasts) === JSON.stringify([...last.values()].toSorted());
    }),
    { numRuns: 60 },
  );
  t.comment(`SEED=${result.seed}`);
  t.equal(result.failed, false, fc.defaultReportMessage(result) ?? "");
});
