import t from "tap";
import { isEnd } from "../../domain/command.ts";
import { Millis, Seconds } from "../../domain/time.ts";
import { type CabinetScenario, GATEWAY, openCabinetScenario } from "./cabinet-scenario.ts";
import { type Answer, eventually, pause } from "./street-scenario.ts";

const scenario = await openCabinetScenario(t);

const demandOf = (feeder: number): string => `cabinet-1/feeder-${feeder}-contactor-demand`;

/** What the center shows of a feeder once all of it is good. */
function preview({ ask }: CabinetScenario, feeder: number): Promise<Record<string, unknown>> {
  return eventually(`a preview of feeder ${feeder}`, async () => {
    const { body } = await ask("GET", `/api/v1/preview?gateway=${GATEWAY}&point=${demandOf(feeder)}`);
    return typeof body["preview"] === "string" ? body : undefined;
  });
}

async function order(
  { ask }: CabinetScenario,
  feeder: number,
  more: { readonly preview: unknown; readonly value?: boolean; readonly ttlMs?: number },
): Promise<Answer> {
  const { preview: seen, value = false, ttlMs } = more;
  const body = { gatewayId: GATEWAY, pointId: demandOf(feeder), value, confirm: { preview: seen } };
  return ask("POST", "/api/v1/commands", { ...body, ...(ttlMs !== undefined && { ttlMs }) });
}

/** The command when it is over. */
function ended({ ask }: CabinetScenario, { body }: Answer): Promise<Record<string, unknown>> {
  return eventually(`the end of ${body["id"]}`, async () => {
    const command = (await ask("GET", `/api/v1/commands/${body["id"]}`)).body;
    return isEnd(command["state"] as never) ? command : undefined;
  });
}

const statesOf = (command: Record<string, unknown>): readonly string[] =>
  (command["history"] as readonly { readonly state: string }[]).map(({ state }) => state);

const movesOf = async ({ effects }: CabinetScenario, feeder: number): Promise<readonly string[]> =>
  (await effects()).filter(
    (effect) => effect.startsWith(`contactor-${feeder}:`) || effect.startsWith(`demand-${feeder}:`),
  );

const HANDS_OFF = ["expired", "rejected"];
const nameOf = (command: Record<string, unknown>): string =>
  (command["state"] as { readonly name: string }).name;

t.test("K0 a whole cabinet is read on the bus, through center and gateway, and nothing moves", async (t) => {
  await preview(scenario, 1);
  const body = { gatewayId: GATEWAY, deviceId: "cabinet-1" };
  const { status, body: answer } = await scenario.ask("POST", "/api/v1/read", body);
  t.match({ status, answer }, { status: 200, answer: { outcome: "read" } });
  const points = answer["points"] as readonly { readonly pointId: string; readonly read: object }[];
  t.ok(points.length > 30, `${points.length} points in ${answer["tookMs"]} ms`);
  t.match(
    points.find(({ pointId }) => pointId === demandOf(1)),
    { read: { value: true, quality: "good" } },
  );
  t.same(await scenario.effects(), []);
});

t.test("a contactor is opened in two steps, and the device itself is the witness", async (t) => {
  const seen = await preview(scenario, 1);
  t.match(seen, {
    commandClass: "K3",
    link: "up",
    points: [
      { pointId: demandOf(1), role: "point", value: true, quality: "good" },
      { pointId: "cabinet-1/feeder-1-contactor-feedback", role: "read-back", value: true },
      { pointId: "cabinet-1/selector-local", role: "interlock", value: false },
      { pointId: "cabinet-1/rcd-tripped", role: "interlock" },
      { pointId: "cabinet-1/main-breaker-tripped", role: "interlock" },
      { pointId: "cabinet-1/feeder-1-breaker-tripped", role: "interlock" },
    ],
  });
  t.same(seen["problems"], []);
  const command = await ended(scenario, await order(scenario, 1, { preview: seen["preview"] }));
  t.match(command["state"], { name: "succeeded", evidence: { readBacks: [{ before: true, value: false }] } });
  const states = ["draft", "authorized", "queued", "sent", "selected", "sent", "executing", "succeeded"];
  t.same(statesOf(command), states);
  t.same(await movesOf(scenario, 1), ["demand-1: 1 → 0", "contactor-1: 1 → 0"]);
});

t.test("a contactor that was just operated rests", async (t) => {
  const seen = await eventually("the feedback at the center", async () => {
    const shown = await preview(scenario, 1);
    const points = shown["points"] as readonly { readonly value: unknown }[];
    return points[0]?.value === false && points[1]?.value === false ? shown : undefined;
  });
  const command = await ended(scenario, await order(scenario, 1, { preview: seen["preview"], value: true }));
  t.match(command["state"], { name: "rejected", cause: "blocked", detail: /must rest for \d+ s more/ });
  t.equal((await movesOf(scenario, 1)).length, 2, "I25 the device was left alone");
});

t.test("nobody orders a hazardous point without confirming what the center shows", async (t) => {
  const { ask } = scenario;
  const body = { gatewayId: GATEWAY, pointId: demandOf(2), value: false };
  const unconfirmed = await ask("POST", "/api/v1/commands", body);
  t.match(unconfirmed, { status: 409, body: { error: { code: "conflict", pointer: "/confirm" } } });
  const other = await order(scenario, 2, { preview: "0".repeat(64) });
  t.match(other, { status: 409, body: { error: { code: "conflict", pointer: "/confirm/preview" } } });
  t.same(await movesOf(scenario, 2), []);
});

t.test("a welded contactor contradicts its demand: the outcome is unknown", async (t) => {
  await scenario.treat("weld-contactor", 3);
  const seen = await preview(scenario, 3);
  const command = await ended(scenario, await order(scenario, 3, { preview: seen["preview"] }));
  t.match(command["state"], {
    name: "outcome-unknown",
    evidence: { acknowledged: true, readBacks: [{ before: true, value: true, agrees: false }] },
  });
  t.same(await movesOf(scenario, 3), ["demand-3: 1 → 0"], "asked, and the contact stayed");
});

t.test("I36 a selection that nobody operates lapses and leaves the device untouched", async (t) => {
  const { center, ask } = scenario;
  const seen = await preview(scenario, 4);
  await scenario.disturb({ kind: "slow", delayMs: 500, unit: 2, functions: [4] });
  const given = await order(scenario, 4, { preview: seen["preview"], ttlMs: 20_000 });
  await eventually("SELECT is on its way", async () => {
    const { body } = await ask("GET", `/api/v1/commands/${given.body["id"]}`);
    return nameOf(body) === "sent" ? true : undefined;
  });
  center.kill("SIGSTOP");
  await scenario.clearFaults();
  await pause(Seconds(8));
  center.kill("SIGCONT");
  const command = await ended(scenario, given);
  t.ok(HANDS_OFF.includes(nameOf(command)), `${nameOf(command)} after ${statesOf(command).join()}`);
  t.ok(statesOf(command).includes("selected"), "it was selected");
  t.same(await movesOf(scenario, 4), []);
});

t.test("I21 a gateway that was frozen past the order's life does not act on it", async (t) => {
  const { gateway } = scenario;
  const seen = await preview(scenario, 5);
  gateway.kill("SIGSTOP");
  const command = await ended(scenario, await order(scenario, 5, { preview: seen["preview"], ttlMs: 2_000 }));
  t.match(command["state"], { name: "expired" });
  await pause(Millis(500));
  gateway.kill("SIGCONT");
  const again = await eventually("the gateway obeys again", async () => {
    const now = await preview(scenario, 5);
    const given = await order(scenario, 5, { preview: now["preview"] });
    if (given.status !== 202) return undefined;
    const next = await ended(scenario, given);
    return nameOf(next) === "succeeded" ? next : undefined;
  });
  t.equal(nameOf(again), "succeeded");
  t.same(
    await movesOf(scenario, 5),
    ["demand-5: 1 → 0", "contactor-5: 1 → 0"],
    "one effect, of the later order",
  );
});

t.test("I33 the local selector beats the remote", async (t) => {
  await scenario.treat("local-on");
  await scenario.treat("select-local");
  const before = await movesOf(scenario, 2);
  const seen = await eventually("the selector at the center", async () => {
    const shown = await preview(scenario, 2);
    const points = shown["points"] as readonly { readonly pointId: string; readonly value: unknown }[];
    return points.some(({ pointId, value }) => pointId === "cabinet-1/selector-local" && value === true)
      ? shown
      : undefined;
  });
  const command = await ended(scenario, await order(scenario, 2, { preview: seen["preview"] }));
  t.match(command["state"], { name: "rejected", cause: "blocked", detail: /selector-local is true/ });
  t.same(await movesOf(scenario, 2), before);
  await scenario.treat("select-auto");
});

t.test(
  "I28 without a link a hazardous order is refused at once, and nothing waits for the gateway",
  async (t) => {
    const { gateway } = scenario;
    const seen = await preview(scenario, 6);
    const before = await movesOf(scenario, 6);
    gateway.kill("SIGKILL");
    await gateway.ended;
    await pause(Millis(200));
    const given = await order(scenario, 6, { preview: seen["preview"] });
    t.match(given, { status: 202, body: { state: { name: "rejected", cause: "offline" } } });
    t.same(await movesOf(scenario, 6), before);
  },
);
