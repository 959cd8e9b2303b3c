import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import t from "tap";
import type { CommandState } from "../../domain/command.ts";
import type { PointId } from "../../domain/ids.ts";
import { systemClock } from "../../domain/system-clock.ts";
import { BrokerAddressError } from "../../gateway/broker/mqtt-broker.ts";
import { PasswordFileError, readPasswordFile } from "../../gateway/broker/password-file.ts";
import { SimulatedClock } from "../simulated-clock.ts";
import {
  COMMAND,
  collect,
  connectPacket,
  gone,
  openBroker,
  REPORTED,
  stored,
  subscribePacket,
  until,
  VERDICT,
} from "./broker-bench.ts";
import { commandId, DIM, openControl, SUCCEEDED } from "./control-bench.ts";
import { openTestStore } from "./store-run.ts";

t.test(
  "nobody connects without a password file, with a wrong password or under an unknown name",
  async (t) => {
    const closed = await openBroker(t, { users: "none" });
    await t.rejects(closed.client("panel"), { code: 5 });
    const { client } = await openBroker(t);
    await t.rejects(client("panel", { password: "wrong" }), { code: 5 });
    await t.rejects(client("nobody"), { code: 5 });
    await t.rejects(client("", {}), { code: 5 });
    await t.rejects(client("panel", { protocolVersion: 5 }), "MQTT 5 is not spoken");
    t.ok((await client("wall")).connected);
  },
);

t.test(
  "what overlaps a command topic, and all but twins and verdicts, can not be subscribed to",
  async (t) => {
    const { client } = await openBroker(t);
    const panel = await client("panel");
    const refused = [
      "#",
      "+/#",
      "sc/#",
      "sc/v1/#",
      "sc/v1/old-town/#",
      "sc/v1/+/+/+/+",
      "sc/+/+/+/command/+",
      COMMAND,
      "sc/v1/old-town/lamp-1/+/dim-level",
      "sc/v1/old-town/lamp-1/command/#",
      "sc/v1/other-town/+/reported/+",
      "$SYS/#",
      "$SYS/+/new/clients",
      "elsewhere",
    ];
    for (const topic of refused) await t.rejects(panel.subscribeAsync(topic), topic);
    for (const topic of [REPORTED, "sc/v1/old-town/+/reported/+", "sc/v1/+/+/verdict/#"]) {
      t.match(await panel.subscribeAsync(topic), [{ qos: 0 }], topic);
    }
    t.ok(panel.connected, "a refused subscription keeps the connection");
  },
);

t.test("a twin is retained: a late subscriber sees value, unit, quality and age", async (t) => {
  const { client, commit } = await openBroker(t, { latest: [stored(1, 40)] });
  commit([
    { ...stored(2, 0, 2), value: null, quality: "bad/no-communication", cause: "timeout" },
    stored(999, 1),
  ]);
  const wall = await client("wall");
  const seen = collect(wall);
  await wall.subscribeAsync("sc/v1/old-town/lamp-1/reported/+");
  await until(() => seen.length >= 2);
  t.match(
    seen.toSorted((left, right) => left.topic.localeCompare(right.topic)),
    [
      {
        topic: "sc/v1/old-town/lamp-1/reported/actual-level",
        retain: true,
        content: { value: null, quality: "bad/no-communication", cause: "timeout" },
      },
      {
        topic: REPORTED,
        retain: true,
        content: {
          value: 40,
          unit: "%",
          quality: "good",
          cause: "none",
          gatewayTimestampMs: 1_800_000_000_001,
          stateVersion: 1,
        },
      },
    ],
  );
  commit([stored(1, 55, 3)]);
  await until(() => seen.length >= 3);
  t.match(seen[2], { topic: REPORTED, retain: false, content: { value: 55, stateVersion: 3 } });
  const late = await client("panel");
  const seenLate = collect(late);
  await late.subscribeAsync(REPORTED);
  await until(() => seenLate.length >= 1);
  t.match(seenLate, [{ retain: true, content: { value: 55 } }], "as it is now, not as it was first told");
});

t.test("an order over MQTT is durable before it is acknowledged, and its verdict is told", async (t) => {
  const clock = new SimulatedClock();
  const store = await openTestStore({ folder: t.testdir() }, { clock });
  t.teardown(() => store[Symbol.asyncDispose]());
  const { control, runner } = openControl(store, clock);
  const orders = {
    // The broker counts deadlines on the machine's clock, this store on a simulated one.
    submitLocal: (order: Parameters<typeof control.submitLocal>[0]) =>
      control.submitLocal({ ...order, deadline: clock.uptime() }),
  };
  const { client, tell } = await openBroker(t, { orders });
  t.teardown(control.onState(tell));
  const panel = await client("panel");
  const seen = collect(panel);
  await panel.subscribeAsync(VERDICT);
  const payload = JSON.stringify({ commandId: commandId(1), value: 40, deadlineMs: 1_000 });
  await panel.publishAsync(COMMAND, payload, { qos: 1 });
  t.match(store.commands.find(commandId(1)), {
    state: { name: "executing" },
    origin: "local",
    command: { issuedBy: "mqtt/panel", value: 40 },
  });
  runner.answer(commandId(1), SUCCEEDED);
  await until(() => seen.length >= 2);
  t.match(seen, [
    { content: { commandId: commandId(1), state: { name: "executing" } }, retain: false },
    { content: { commandId: commandId(1), state: { name: "succeeded" } }, retain: false },
  ]);
  await panel.publishAsync(COMMAND, payload, { qos: 1 });
  await until(() => seen.length >= 3);
  t.match(seen[2], { content: { state: { name: "succeeded" } } }, "a repeat gets its verdict again");
  t.equal(runner.operations.length, 1, "I22 and no second effect");
  await panel.publishAsync(
    COMMAND,
    JSON.stringify({ commandId: commandId(2), value: 400, deadlineMs: 1_000 }),
    { qos: 2 },
  );
  await until(() => seen.length >= 4);
  t.match(seen[3], { content: { state: { name: "rejected", cause: "out-of-range" } } });
  await wait(20);
  t.equal(seen.length, 4, "each state is told once");
});

t.test("an order that makes no sense gets an error as verdict, and the connection stays", async (t) => {
  const { client } = await openBroker(t);
  const panel = await client("panel");
  const seen = collect(panel);
  await panel.subscribeAsync(VERDICT);
  const bad = [
    "",
    "{",
    "[]",
    JSON.stringify({ commandId: "1", value: 1, deadlineMs: 1 }),
    JSON.stringify({ commandId: commandId(1), value: null, deadlineMs: 1 }),
    JSON.stringify({ commandId: commandId(1), value: 1, deadlineMs: 0 }),
    JSON.stringify({ commandId: commandId(1), value: 1, deadlineMs: 1, extra: true }),
    "x".repeat(9_000),
  ];
  for (const payload of bad) await panel.publishAsync(COMMAND, payload, { qos: 1 });
  await until(() => seen.length >= bad.length);
  for (const [index, payload] of bad.entries()) {
    t.match(seen[index]?.content, { error: { code: "bad-order", message: /./ } }, payload.slice(0, 80));
  }
  t.ok(panel.connected);
});

t.test("readers give no orders, nobody retains one, and nobody publishes elsewhere", async (t) => {
  const { client } = await openBroker(t);
  const good = JSON.stringify({ commandId: commandId(1), value: 1, deadlineMs: 1_000 });
  const refused: readonly (readonly [string, string, boolean])[] = [
    ["wall", COMMAND, false],
    ["panel", COMMAND, true],
    ["panel", REPORTED, true],
    ["panel", VERDICT, false],
    ["panel", "sc/v1/other-town/lamp-1/command/dim-level", false],
    ["panel", `${COMMAND}/more`, false],
    ["panel", "$SYS/x/heartbeat", false],
    ["panel", "a/".repeat(20), false],
  ];
  for (const [name, topic, retain] of refused) {
    const each = await client(name);
    const closed = gone(each);
    each.publish(topic, good, { qos: 0, retain });
    await closed;
    t.notOk(each.connected, `${name} ${topic}`);
  }
});

t.test("an order that the center gave, on a point whose name is none, is told on no topic", async (t) => {
  const { client, tell } = await openBroker(t);
  const wall = await client("wall");
  const seen = collect(wall);
  await wall.subscribeAsync("sc/v1/old-town/+/verdict/+");
  const state: CommandState = { name: "rejected", cause: "unknown-point", detail: "" };
  for (const name of ["#", "+/+", "lamp-1/#", "a/b/c", "/", "Lamp/x"])
    tell(commandId(1), name as PointId, state);
  tell(commandId(2), DIM, state);
  await until(() => seen.length >= 1);
  t.match(seen, [{ topic: VERDICT, content: { commandId: commandId(2) } }]);
  t.equal(seen.length, 1);
});

t.test("wills are dropped and sessions are not kept", async (t) => {
  const given: string[] = [];
  const orders = {
    submitLocal: (order: { readonly commandId: string }) => {
      given.push(order.commandId);
      throw new Error("nobody was there to give it");
    },
  };
  const { client, commit } = await openBroker(t, { orders });
  const payload = Buffer.from(JSON.stringify({ commandId: commandId(1), value: 1, deadlineMs: 1_000 }));
  const will = { topic: COMMAND, payload, qos: 1 as const, retain: false };
  const dying = await client("panel", { will, clean: false, clientId: "panel-1" });
  await dying.subscribeAsync(REPORTED, { qos: 1 });
  const lost = gone(dying);
  dying.stream.destroy();
  await lost;
  const again = await client("panel", { clean: false, clientId: "panel-1" });
  const late = collect(again);
  commit([stored(1, 40)]);
  await wait(100);
  t.same(given, [], "an order that nobody gives is none");
  t.same(late, [], "no subscription was kept");
});

t.test("a taken port is told with the setting that changes it", async (t) => {
  const { port } = await openBroker(t);
  await t.rejects(openBroker(t, { port }), {
    name: BrokerAddressError.name,
    message: /broker\.port in the site file/,
  });
});

t.test("stopping drops whoever is connected, at once, and frees the port", async (t) => {
  const { client, socket, stop, port } = await openBroker(t);
  const wall = await client("wall");
  const silent = await socket();
  const closed = Promise.all([gone(wall), once(silent, "close")]);
  const start = systemClock.uptime();
  await stop();
  t.ok(systemClock.uptime() - start < 1_000, "one that never said CONNECT holds nothing up");
  await closed;
  await openBroker(t, { port });
});

t.test("300 idle connections are held to 256, and a place that is freed is taken again", async (t) => {
  const { socket, client } = await openBroker(t);
  let ended = 0;
  const idle = await Promise.all(Array.from({ length: 300 }, socket));
  for (const each of idle) each.once("close", () => (ended += 1)).resume();
  await until(() => ended >= 44);
  await wait(50);
  t.equal(ended, 44);
  idle.find((each) => !each.destroyed)?.destroy();
  await until(() => ended >= 45);
  t.ok((await client("wall", { connectTimeout: 5_000 })).connected, "a free place is taken again");
});

t.test("a subscriber that never reads holds the others up for 2 s at most, then it is dropped", async (t) => {
  const { client, socket, tell } = await openBroker(t);
  const wall = await client("wall");
  const seen = collect(wall);
  await wall.subscribeAsync(VERDICT);
  const frozen = await socket();
  frozen.write(connectPacket("frozen", { name: "wall", password: "secret" }));
  await once(frozen, "data");
  frozen.write(subscribePacket(VERDICT));
  await once(frozen, "data");
  frozen.pause();
  const dropped = once(frozen, "close");
  const start = systemClock.uptime();
  const state: CommandState = { name: "rejected", cause: "busy", detail: "x".repeat(60_000) };
  const flood = 500;
  for (let number = 1; number <= flood; number += 1) tell(commandId(number), DIM, state);
  await until(() => seen.length >= flood);
  const took = systemClock.uptime() - start;
  t.comment(`${Math.round(took)} ms`);
  t.ok(took < 6_000, `all ${flood} were seen after ${Math.round(took)} ms`);
  frozen.resume();
  await dropped;
  t.ok(wall.connected);
});

t.test("a password file says where it is wrong", async (t) => {
  const folder = t.testdir({ bad: "# fine\npanel:operator:scrypt:zz:zz\n", empty: "" });
  await t.rejects(readPasswordFile(`${folder}/bad`), {
    name: PasswordFileError.name,
    message: /bad:2: .*broker-user/,
  });
  await t.rejects(readPasswordFile(`${folder}/none`), { message: /broker\.passwordFile/ });
  t.equal((await readPasswordFile(`${folder}/empty`)).size, 0);
});
