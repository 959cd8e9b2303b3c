import { existsSync } from "node:fs";
import { join } from "node:path";
import { connectAsync } from "mqtt";
import pg from "pg";
import t from "tap";
import { isEnd } from "../../domain/command.ts";
import { systemClock } from "../../domain/system-clock.ts";
import { systemRandom } from "../../domain/system-random.ts";
import { newCommandId } from "../../gateway/local-api/client/command-id.ts";
import { noBrowser, openDevice, openTestPage } from "../cloud-sync/browser-for-tests.ts";
import { nerve } from "../gateway/spawned-nerve.ts";
import { type Answer, eventually, openStreetScenario, PANEL } from "./street-scenario.ts";

/** Orders with arguments, from every side that may give them, to a real OPC UA server and its journal. */
const GATEWAY = "gw-junctions";
const JUNCTION = "junction-1";
const ROUTE = `${JUNCTION}/begin-emergency-route`;
const PRIORITY = `${JUNCTION}/request-priority`;

t.setTimeout(180_000);
const street = await openStreetScenario(t, {
  gatewayId: GATEWAY,
  simulated: { devices: [{ id: "server", kind: "traffic-controllers", cabinets: [JUNCTION] }] },
  site: ({ server }) => ({
    buses: [
      {
        id: "server",
        driver: "opcua",
        endpoint: server?.url ?? "",
        security: "none",
        publishInterval: "100 ms",
      },
    ],
    devices: [{ id: JUNCTION, profile: "neutral-traffic-cabinet", bus: "server", unit: JUNCTION }],
  }),
});
const { ask } = street;
const database = new pg.Pool({ connectionString: street.connectionString, max: 1 });
t.teardown(() => database.end());

/** Preview of a point once all of it is good. */
const previewOf = (pointId: string): Promise<unknown> =>
  eventually(`a preview of ${pointId}`, async () => {
    const { body } = await ask("GET", `/api/v1/preview?gateway=${GATEWAY}&point=${pointId}`);
    return typeof body["preview"] === "string" ? body["preview"] : undefined;
  });

async function order(pointId: string, more: object): Promise<Answer> {
  const confirm = { preview: await previewOf(pointId) };
  return ask("POST", "/api/v1/commands", { gatewayId: GATEWAY, pointId, value: true, confirm, ...more });
}

/** The command when it is over. */
const ended = (id: unknown): Promise<Record<string, unknown>> =>
  eventually(`the end of ${id}`, async () => {
    const { status, body } = await ask("GET", `/api/v1/commands/${id}`);
    return status === 200 && isEnd(body["state"] as never) ? body : undefined;
  });

const evidenceOf = (id: unknown): Promise<readonly object[]> =>
  eventually(`the evidence of ${id}`, async () => {
    const found = await database.query<{ body: object }>(
      "select body from evidence where command_id = $1 order by seq",
      [id],
    );
    return found.rows.length > 0 ? found.rows.map(({ body }) => body) : undefined;
  });

/** The cabinet's own truth. */
async function cabinet(): Promise<Record<string, unknown>> {
  const { body } = await street.control("GET", "/devices/server");
  const state = body["state"] as { readonly cabinets: readonly Record<string, unknown>[] };
  return state.cabinets.find(({ id }) => id === JUNCTION) ?? {};
}

/** Whether the cabinet tells of a priority request that begins so: `group/level/state`. */
const requested = (begin: string): Promise<boolean> =>
  eventually(`a request ${begin}`, async () => {
    const { body } = await ask("GET", `/api/v1/state?gateway=${GATEWAY}&device=${JUNCTION}`);
    const states = body["states"] as readonly { readonly pointId: string; readonly value: unknown }[];
    const told = states.find(({ pointId }) => pointId === `${JUNCTION}/priority-requests`)?.value;
    return String(told).includes(begin) ? true : undefined;
  });

t.test("the catalogue says what an action takes, and the operators' interface offers it", async (t) => {
  await previewOf(ROUTE);
  const { body } = await ask("GET", `/api/v1/devices?gateway=${GATEWAY}`);
  const [device] = body["devices"] as readonly { readonly points: readonly { readonly name: string }[] }[];
  const point = (name: string) => device?.points.find((each) => each.name === name);
  t.match(point("begin-emergency-route"), {
    args: [{ name: "route", type: "number", unit: "1", range: { min: 1, max: 16 } }],
    expects: { argument: "route" },
  });
  t.match(point("request-priority"), {
    args: [{ name: "group" }, { name: "level" }, { name: "vehicle-class" }, { name: "eta", unit: "s" }],
  });
  t.match(point("release-plan"), { args: [], expects: { value: 0 } });
  t.match(point("functional-position"), { oneOf: ["normal", "yellow-flash", "dark", "all-red"] });
  t.notHas(point("control-mode"), "oneOf", "what is only read takes nothing");
});

t.test("what the action does not take is refused at the center, and says why", async (t) => {
  const cases: readonly [object, object][] = [
    [{ args: [] }, { cause: "wrong-type", detail: `${ROUTE} takes 1 arguments (route), not 0` }],
    [{ args: [3, 4] }, { cause: "wrong-type" }],
    [{ args: ["3"] }, { cause: "wrong-type", detail: /argument route takes a number, not "3"/ }],
    [{ args: [17] }, { cause: "out-of-range", detail: /argument route takes 1 … 16 1, not 17/ }],
    [{ args: [3], value: false }, { cause: "wrong-type" }],
  ];
  for (const [given, refusal] of cases) {
    const { status, body } = await order(ROUTE, given);
    t.match({ status, state: body["state"] }, { status: 202, state: { name: "rejected", ...refusal } });
  }
  const mode = await order(`${JUNCTION}/functional-position`, { value: "sideways" });
  t.match(mode.body["state"], { name: "rejected", cause: "out-of-range", detail: /one of "normal", / });
  const { routes, position } = await cabinet();
  t.same({ routes, position }, { routes: [], position: "normal" }, "nothing of it reached the cabinet");
});

t.test(
  "a hazardous action is selected and operated with its argument, which is in all records",
  async (t) => {
    const { body } = await order(ROUTE, { args: [3] });
    const command = await ended(body["id"]);
    t.match(command, {
      state: { name: "succeeded", evidence: { readBacks: [{ before: 0, value: 3, agrees: true }] } },
      args: [3],
      argsTaken: [{ name: "route", unit: "1" }],
      commandClass: "K3",
    });
    t.same((await cabinet())["routes"], [3], "the cabinet itself is the witness");
    const evidence = await evidenceOf(command["id"]);
    t.ok(evidence.length > 1);
    t.match(
      evidence,
      evidence.map(() => ({ args: [3] })),
    );
    const { rows } = await database.query(
      "select detail->'args' as args from center_audit where subject = $1 and detail->'args' is null",
      [command["id"]],
    );
    t.same(rows, [], "and the center's audit has it in every step");
    const listed = (await ask("GET", "/api/v1/commands?limit=1")).body["commands"];
    t.match(listed, [{ args: [3], argsTaken: [{ name: "route" }] }]);
  },
);

t.test("crew order an action by names, and the center shows what was given", async (t) => {
  const folder = street.home;
  const given = ["group=2", "level=7", "eta=30", "vehicle-class=1"];
  const wrote = await nerve(["write", JUNCTION, "request-priority", "run", ...given, "--yes", "--json"], {
    folder,
  });
  t.equal(wrote.code, 5, "acknowledged, and no point of the cabinet proves a request");
  const answer = JSON.parse(wrote.output);
  const args = [
    { name: "group", value: 2 },
    { name: "level", value: 7 },
    { name: "vehicle-class", value: 1 },
    { name: "eta", value: 30, unit: "s" },
  ];
  t.match(answer, { state: { name: "outcome-unknown", evidence: { acknowledged: true } }, args });
  t.ok(await requested("2/7/"), "the cabinet has taken it");
  const shown = await nerve(["commands", answer.id], { folder });
  t.match(shown.output, `${PRIORITY} to run group=2 level=7 vehicle-class=1 eta=30 s`);
  t.match(await ended(answer.id), { origin: "local", args: [2, 7, 1, 30], argsTaken: [{ name: "group" }] });
  const beyond = ["group=9", "level=7", "eta=30", "vehicle-class=1"];
  const outside = await nerve(["write", JUNCTION, "request-priority", "run", ...beyond, "--yes"], { folder });
  t.match(outside, { code: 4, output: /argument group takes 1 … 8 1, not 9/ });
});

t.test("over MQTT an action takes its arguments in order, and its verdict comes back", async (t) => {
  const { host, port } = street.mqtt;
  const client = await connectAsync(`mqtt://${host}:${port}`, {
    ...PANEL,
    protocolVersion: 4,
    reconnectPeriod: 0,
  });
  t.teardown(() => client.endAsync());
  const verdicts: { readonly commandId?: string; readonly state?: { readonly name: string } }[] = [];
  client.on("message", (_topic, payload) => verdicts.push(JSON.parse(payload.toString())));
  await client.subscribeAsync(`sc/v1/street/${JUNCTION}/verdict/+`, { qos: 1 });
  const give = async (args: readonly unknown[]) => {
    const commandId = newCommandId(systemClock.now(), systemRandom);
    const payload = JSON.stringify({ commandId, value: true, args, deadlineMs: 5_000 });
    await client.publishAsync(`sc/v1/street/${JUNCTION}/command/request-priority`, payload, { qos: 1 });
    const verdict = await eventually("a verdict", async () =>
      verdicts.find((each) => each.commandId === commandId && isEnd(each.state as never)),
    );
    return { commandId, verdict };
  };
  const { commandId, verdict } = await give([3, 6, 2, 45]);
  t.match(verdict, { state: { name: "outcome-unknown", evidence: { acknowledged: true } } });
  t.ok(await requested("3/6/"), "the cabinet has taken it");
  t.match(await ended(commandId), { origin: "local", issuedBy: "mqtt/panel", args: [3, 6, 2, 45] });
  t.match(await evidenceOf(commandId), [{ args: [3, 6, 2, 45] }]);
  const few = await give([3]);
  t.match(few.verdict, { state: { name: "rejected", cause: "wrong-type", detail: /4 arguments/ } });
});

const BUILT = join(import.meta.dirname, "../../cloud-sync/console/dist/index.html");
const skip = existsSync(BUILT) ? noBrowser : "the console is not built: npm run build";

t.test("at the console an action has a field for each argument", { skip, timeout: 90_000 }, async (t) => {
  const { body: end } = await order(`${JUNCTION}/end-emergency-route`, { args: [3] });
  t.match(await ended(end["id"]), { state: { name: "succeeded" } });
  const { page, complaints } = await openTestPage(t);
  await page.goto(street.consoleAddress);
  await page.waitForSelector("canvas.places[data-painted]");
  await openDevice(page, JUNCTION);
  const panel = page.locator(".command");
  const select = panel.getByRole("button", { name: "Sélectionner …" });

  await panel.getByLabel("Quoi").selectOption({ label: "Demander une priorité" });
  for (const [label, note] of [
    ["Groupe de feux", "1 à 8"],
    ["Niveau de priorité", "0 à 14"],
    ["Classe de véhicule", "0 à 255"],
    ["Arrivée dans", "0 à 600"],
  ] as const) {
    const field = panel.locator(".argument", { has: page.getByLabel(label) });
    t.equal(await field.locator("small").innerText(), note, `${label} says its range`);
  }
  t.match(await panel.locator(".argument").last().innerText(), /\bs\b/, "and its unit");

  await panel.getByLabel("Quoi").selectOption({ label: "Ouvrir un itinéraire d’urgence" });
  const route = panel.getByLabel("Itinéraire", { exact: true });
  t.ok(await select.isDisabled(), "nothing is sent while an argument is missing");
  await route.fill("17");
  t.equal(await panel.locator(".problem").innerText(), "Itinéraire va de 1 à 16");
  t.equal(await route.getAttribute("aria-invalid"), "true");
  t.ok(await select.isDisabled(), "nor while one is wrong");
  await route.fill("x");
  t.equal(await panel.locator(".problem").innerText(), "Itinéraire est un nombre");
  await route.fill("5");
  t.equal(await panel.locator(".problem").count(), 0);
  t.match(
    await panel.locator(".preview").innerText(),
    /Itinéraire d’urgence actif\s+0[\s\S]*\b5$/,
    "now and after",
  );

  await select.click();
  const operate = panel.getByRole("button", { name: /Manœuvrer/ });
  await operate.waitFor();
  t.match(
    await panel.locator(".selected").innerText(),
    /Mode de commande\s+en service/,
    "states by their names",
  );
  await route.fill("6");
  t.equal(await operate.count(), 0, "what was selected for one route is not operated for another");
  await select.click();
  await operate.click();
  await page.locator(".progress.succeeded").waitFor();
  t.match(await panel.locator(".ordered").innerText(), "Ouvrir un itinéraire d’urgence : Itinéraire 6");
  t.match(await panel.locator(".result").innerText(), /Relu : 6/);
  t.same((await cabinet())["routes"], [6]);

  await page.getByRole("button", { name: "Commandes", exact: true }).click();
  const newest = page.locator(".page tbody tr").first();
  await newest.waitFor();
  t.match(await newest.innerText(), /Itinéraire 6/);
  await page.getByRole("button", { name: "EN", exact: true }).click();
  t.match(await newest.innerText(), /Begin emergency route\s+Route 6/);
  t.strictSame(complaints, []);
});
