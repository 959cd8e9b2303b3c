import t from "tap";
import { coversRange } from "../../domain/lane.ts";
import { catalogueHash } from "../../domain/wire/catalogue.ts";
import { decodeEntry } from "../../domain/wire/entry.ts";
import { decodeEventRecord } from "../../domain/wire/record-kinds.ts";
import { type Store, StoreError } from "../../gateway/store/store.ts";
import { TransportError } from "../../gateway/uplink/center-transport.ts";
import { order } from "./control-bench.ts";
import { entriesOf } from "./store-run.ts";
import { bench, CATALOGUE, fill, holdsAll, kinds } from "./uplink-bench.ts";

t.test(
  "I10 HELLO, then the catalogue, then current state, control first, and only then the lanes",
  async (t) => {
    const { store, center, uplink, pass, start } = await bench(t);
    fill(store, 50);
    await store.telemetry.flush();
    start();
    await pass(6_000);
    const seen = kinds(center);
    t.same(seen.filter((what) => what !== "heartbeat").slice(0, 4), [
      "HELLO 1.1",
      "catalogue",
      "snapshot 1/1 3,1,2",
      "batch A history",
    ]);
    t.match(center.hellos[0], {
      incarnation: store.incarnation,
      capabilities: { commands: ["write", "select", "operate"] },
    });
    t.ok(
      seen.indexOf("batch B history") > 0 &&
        seen.indexOf("batch C history") > seen.indexOf("batch B history"),
    );
    t.ok(holdsAll(center, store));
    t.same(store.sync.backlog(), { A: 0, B: 0, C: 0, D: 0 });
    t.match(uplink.status(), { phase: "live", session: "1.1", detail: "sync session 1.1" });
    fill(store, 1);
    await pass(1_000);
    t.ok(holdsAll(center, store), "what comes later flows at once");
    t.ok(kinds(center).includes("batch C live"));
  },
);

t.test("a catalogue that the center holds is not told, and tokens are minted every 5 s", async (t) => {
  const { center, tokens, pass, clock, start } = await bench(t);
  center.catalogueHash = catalogueHash(CATALOGUE);
  start();
  await pass(11_000);
  t.notOk(kinds(center).includes("catalogue"));
  t.equal(center.tokens.length, 3);
  const [first, , last] = center.tokens;
  const age = clock.uptime() - (tokens.mintedAt(last ?? "", "1.1") ?? 0);
  t.ok(age <= 1_000, `the newest is ${age} ms old`);
  t.ok(tokens.mintedAt(first ?? "", "1.1") !== undefined, "older ones count too, by their age");
});

t.test("I2 whatever is lost on either way, every record is held once and the lanes drain", async (t) => {
  const { store, center, pass, start } = await bench(t);
  center.weather = { lost: 0.2, unanswered: 0.2 };
  start();
  for (let turn = 0; turn < 30; turn += 1) {
    fill(store, 20);
    await pass(1_000);
  }
  center.weather = { lost: 0, unanswered: 0 };
  await pass(15_000);
  t.ok(center.hellos.length > 3, `${center.hellos.length} sync sessions were needed`);
  t.same(center.faults, []);
  t.ok(holdsAll(center, store));
  t.same(store.sync.backlog(), { A: 0, B: 0, C: 0, D: 0 }, "I18 without anybody's help");
});

t.test(
  "orders from the downlink are handed on; after the session's end none is, and its tokens are void",
  async (t) => {
    const { center, commands, tokens, pass, start } = await bench(t);
    start();
    await pass(1_000);
    const frame = order(tokens);
    center.tell(frame);
    t.same(commands, [frame]);
    center.tell({ kind: "closing", reason: "the center restarts" });
    await pass(250);
    t.equal(tokens.mintedAt(frame.token, "1.1"), undefined, "I32");
    await pass(5_000);
    t.ok(center.hellos.length >= 2, "a new session was opened");
    t.equal(commands.length, 1);
  },
);

t.test("15 s of silence end the session; the link's states are evidence", async (t) => {
  const { store, center, uplink, pass, start } = await bench(t);
  start();
  await pass(1_000);
  t.equal(uplink.status().phase, "live");
  // Half open: what we send arrives, but nothing comes down.
  const { listen } = center;
  center.listen = () => new Promise(() => undefined);
  center.hangUp();
  await pass(3_000);
  const silentSince = center.log.findLast(({ what }) => what.startsWith("HELLO"))?.at ?? 0;
  t.equal(uplink.status().phase, "live", "the new session is live until it proves silent");
  center.listen = listen;
  await pass(20_000);
  const next = center.log.find(({ what, at }) => what.startsWith("HELLO") && at > silentSince)?.at ?? 0;
  t.ok(
    next - silentSince >= 15_000 && next - silentSince <= 17_100,
    `said HELLO again after ${next - silentSince} ms`,
  );
  await store.telemetry.flush();
  const links = entriesOf(store, "B").flatMap(({ frame }) => {
    const { body } = decodeEventRecord(decodeEntry(frame).body);
    return body.kind === "link" ? [body.state] : [];
  });
  t.same(links, ["up", "down", "up", "degraded", "down", "up"]);
});

t.test("reconnects stay within their jitter, whose ceiling doubles to its bound", async (t) => {
  const { clock, center, pass, start } = await bench(t);
  const tries: number[] = [];
  center.hello = async () => {
    tries.push(clock.uptime());
    throw new TransportError("unreachable", "no way");
  };
  start();
  await pass(60_000);
  const gaps = tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
  t.ok(gaps.length > 15);
  for (const [index, gap] of gaps.entries()) {
    const ceiling = Math.min(4_000, 1_000 * 2 ** index);
    t.ok(gap <= ceiling, `gap ${index} of ${Math.round(gap)} ms is at most ${ceiling} ms`);
  }
});

t.test("a HELLO that is never answered is given up after 30 s", async (t) => {
  const { clock, center, pass, start } = await bench(t);
  const tries: number[] = [];
  center.hello = async (_message, signal) => {
    tries.push(clock.uptime());
    return await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  };
  start();
  await pass(70_000);
  t.ok(tries.length >= 2, `${tries.length} tries`);
  const gap = (tries[1] ?? 0) - (tries[0] ?? 0);
  t.ok(gap >= 30_000 && gap <= 34_000, `${gap} ms apart`);
});

t.test("I37 a sync session that is not above the last one is refused", async (t) => {
  const { store, center, uplink, pass, start } = await bench(t);
  start();
  await pass(1_000);
  center.welcome = { session: "1.1" };
  center.hangUp();
  await pass(5_000);
  t.equal(uplink.status().session, null);
  t.match(uplink.status().detail, /offered sync session 1\.1, but 1\.1 was current already/);
  center.welcome = { session: "0.9" };
  await pass(5_000);
  t.match(uplink.status().detail, /0\.9/);
  center.welcome = {};
  await pass(5_000);
  t.equal(uplink.status().phase, "live");
  t.equal(store.sync.highestSession(), center.session);
});

t.test(
  "an answer about other records, or about none, ends the session and acknowledges nothing",
  async (t) => {
    const { store, center, uplink, pass, start } = await bench(t);
    center.answer = () => ({ outcomes: [] });
    start();
    fill(store, 5);
    await pass(3_000);
    t.match(uplink.status().detail, /not about its records/);
    center.answer = () => ({ outcomes: [{ first: 1, count: 900_000, outcome: "stored" }] });
    await pass(5_000);
    t.match(uplink.status().detail, /not about its records/);
    const held = store.sync.acknowledged(store.incarnation, "A");
    t.notOk(coversRange(held, { first: 1, count: 900_000 }), "what was never sent is not held");
    center.answer = (outcomes) => ({ outcomes });
    await pass(10_000);
    t.ok(holdsAll(center, store));
  },
);

t.test("a store that fails ends the session, never the uplink", async (t) => {
  let failing: "failing" | "sound" = "failing";
  const change = (sound: Store): Store => {
    const sync = new Proxy(sound.sync, {
      get: (target, name) => {
        if (failing === "failing" && name === "rememberSession")
          return () => {
            throw new StoreError("not-durable", "writing critical.db failed");
          };
        const member = Reflect.get(target, name);
        return typeof member === "function" ? member.bind(target) : member;
      },
    });
    return new Proxy(sound, {
      get: (target, name) => {
        if (name === "sync") return sync;
        const member = Reflect.get(target, name);
        return typeof member === "function" ? member.bind(target) : member;
      },
    });
  };
  const { center, uplink, pass, store, start } = await bench(t, { change });
  start();
  await pass(3_000);
  t.ok(center.hellos.length >= 2, "it tries again");
  t.match(uplink.status().detail, /store failed: see `nerve status`/);
  failing = "sound";
  fill(store, 3);
  await pass(6_000);
  t.equal(uplink.status().phase, "live");
  t.ok(holdsAll(center, store));
});

t.test("a read of this session is answered, one of another is not", async (t) => {
  const { center, pass, start } = await bench(t);
  start();
  await pass(2_000);
  const read = (session: string, readId: string): void =>
    center.tell({
      kind: "read",
      session,
      readId: readId.repeat(32),
      pointIds: ["lamp-1/level"],
      requester: "operator/anna",
      budgetMs: 3_000,
    });
  read("1.999", "a");
  read(center.session, "b");
  await pass(1_000);
  const points = [{ pointId: "lamp-1/level", value: 40, quality: "good", cause: "none" }];
  t.strictSame(center.reports, [{ session: center.session, readId: "b".repeat(32), points }]);
  t.ok(center.hellos.at(-1)?.capabilities.commands.includes("read"), "announced, or no center would ask");
});

t.test("stopping leaves nothing behind", async (t) => {
  const { clock, store, pass, stop, uplink, start } = await bench(t);
  start();
  await pass(1_000);
  await stop();
  await store.telemetry.flush();
  await pass(250);
  t.equal(uplink.status().session, null);
  t.equal(clock.pendingTimers, 0);
});
