import { existsSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { Seconds } from "../../domain/time.ts";
import { noBrowser, openDevice, openTestPage } from "../cloud-sync/browser-for-tests.ts";
import { openStreetScenario, pause, type Reach } from "./street-scenario.ts";

const BUILT = join(import.meta.dirname, "../../cloud-sync/console/dist/index.html");
const skip = existsSync(BUILT) ? noBrowser : "the console is not built: npm run build";
/** Pictures for whoever wants to see: `SHOTS=folder`. */
const SHOTS = process.env["SHOTS"];
const GATEWAY = "gw-street";

t.setTimeout(200_000);

const modbus = (reach: Reach, id: string, more: object = {}): object => {
  const port = reach[id]?.port ?? 0;
  return { id, driver: "modbus", transport: "tcp", host: "127.0.0.1", port, ...more };
};
const tcpLine = (reach: Reach, id: string, baud: number): object => {
  return { kind: "tcp", host: "127.0.0.1", port: reach[id]?.port ?? 0, baud };
};
/** One device of every class, side by side in the middle of Dijon, a column of lamps beside them. */
const KINDS = [
  {
    id: "barrier-1",
    name: "Barrière Darcy",
    kind: { kind: "barrier", travelMs: 800 },
    profile: "neutral-barrier",
  },
  {
    id: "bollard-1",
    name: "Borne Liberté",
    kind: { kind: "bollard", travelMs: 800 },
    profile: "neutral-bollard",
  },
  { id: "building-1", name: "Hôtel de ville", kind: { kind: "building" }, profile: "neutral-building" },
  {
    id: "counter-1",
    name: "Comptage",
    kind: { kind: "modbus-counter", in: 57 },
    profile: "neutral-people-counter",
  },
  { id: "weather-1", name: "Météo", kind: { kind: "lufft-ws" }, profile: "lufft-ws600" },
  { id: "meter-1", name: "Compteur", kind: { kind: "sdm630" }, profile: "eastron-sdm630" },
] as const;
const position = (step: number) => ({
  latitude: 47.3225 - 0.0004 * Math.floor(step / 6),
  longitude: 5.039 + 0.0006 * (step % 6),
});

const street =
  skip === false
    ? await openStreetScenario(t, {
        gatewayId: GATEWAY,
        simulated: {
          bridges: [{ id: "bridge-1", lamps: 6 }],
          cabinets: [{ id: "cabinet-1", feeders: [[0], [1]], minOnOffSec: 0 }],
          devices: [
            ...KINDS.map(({ id, kind }) => ({ id, ...kind })),
            { id: "door-1", kind: "osdp-door", clear: "allowed", line: "tcp" },
            { id: "board-1", kind: "firmata-board", idlePercent: 5, line: "tcp" },
            { id: "junction-1", kind: "traffic-controllers" },
          ],
        },
        site: (reach) => ({
          buses: [
            modbus(reach, "bridge-1"),
            modbus(reach, "cabinet-1"),
            ...KINDS.map(({ id }) => modbus(reach, id, { isolationGroup: "street" })),
            {
              ...{ id: "door-1", driver: "serial", dialect: "osdp", isolationGroup: "street" },
              security: { mode: "off" },
              line: tcpLine(reach, "door-1", 9_600),
            },
            {
              id: "board-1",
              driver: "firmata",
              isolationGroup: "street",
              line: tcpLine(reach, "board-1", 57_600),
            },
            {
              ...{ id: "junction-1", driver: "opcua", security: "none", publishInterval: "100 ms" },
              endpoint: reach["junction-1"]?.url ?? "",
            },
          ],
          devices: [
            ...KINDS.map(({ id, name, profile }, step) => ({
              id,
              name,
              profile,
              bus: id,
              unit: 1,
              position: position(step),
            })),
            {
              id: "door-1",
              name: "Porte Mairie",
              profile: "osdp-door",
              bus: "door-1",
              unit: 1,
              position: position(6),
            },
            {
              id: "board-1",
              name: "Carte",
              profile: "arduino-uno-indicator",
              bus: "board-1",
              unit: 0,
              position: position(7),
            },
            {
              ...{ id: "junction-1", name: "Carrefour Darcy", profile: "neutral-traffic-cabinet" },
              ...{ bus: "junction-1", unit: "junction-1", position: position(8) },
            },
            {
              ...{
                id: "cabinet-1",
                name: "Armoire",
                profile: "neutral-segment-cabinet",
                bus: "cabinet-1",
                unit: 2,
              },
              position: position(9),
            },
            ...Array.from({ length: 6 }, (_, lamp) => ({
              ...{ id: `lamp-${lamp}`, profile: "intesis-dali-lamp", bus: "bridge-1", unit: 1 },
              parameters: { shortAddress: lamp },
              position: position(12 + lamp),
            })),
          ],
        }),
      })
    : undefined;

t.test("every class of device at the console of a running street", { skip, timeout: 190_000 }, async (t) => {
  if (street === undefined) return;
  const { page, complaints } = await openTestPage(t);
  const shoot = async (name: string): Promise<void> => {
    if (SHOTS !== undefined) await page.screenshot({ path: `${SHOTS}/${name}.png` });
  };
  const rowOf = async (name: string): Promise<string> =>
    (await page.locator(".points tr", { has: page.getByText(name, { exact: true }) }).innerText()).replaceAll(
      /\s+/g,
      " ",
    );
  const count = (state: string, number: number) =>
    page.locator(`.states .${state} b`, { hasText: new RegExp(`^${number}$`) }).waitFor({ timeout: 60_000 });
  const operate = async (point: string, choose: () => Promise<unknown>): Promise<void> => {
    await page.locator(".command").getByLabel("Quoi").selectOption({ label: point });
    await choose();
    await page.getByRole("button", { name: "Sélectionner …" }).click();
    await page.getByRole("button", { name: /Manœuvrer/ }).click();
    await page.locator(".progress.over").waitFor({ timeout: 20_000 });
  };
  const run = () => page.getByRole("button", { name: "Lancer" }).click();
  const again = () => page.getByRole("button", { name: "Autre commande" }).click();
  /** What the search says of it, as soon as it says so. */
  const found = async (name: string, looks: RegExp): Promise<void> => {
    await page.locator("#search").fill(name);
    await page.getByRole("option").filter({ hasText: looks }).waitFor();
    await page.locator("#search").press("Escape");
  };
  await page.goto(street.consoleAddress);
  await page.waitForSelector("canvas.places[data-painted]");
  await count("all", 16);
  await count("doubtful", 0);

  await t.test("each class has a figure, a filter and words in both languages", async (t) => {
    const chips = page.locator(".chips button");
    t.equal(await chips.count(), 11);
    t.equal(await chips.locator("canvas.symbol").count(), 11);
    await page.getByRole("button", { name: "Barrières" }).click();
    await count("all", 1);
    await page.getByRole("button", { name: "Barrières" }).click();
    t.match(await page.locator(".legend").innerText(), /Ouvert, occupé, non normal/);
    await page.getByRole("button", { name: "EN", exact: true }).click();
    t.match(await page.locator(".legend").innerText(), /Open, occupied, not normal/);
    t.same(await chips.allInnerTexts(), [
      ...["Doors", "Barriers", "Bollards", "Buildings", "Counters", "Boards", "Meters", "Cabinets"],
      ...["Lamps", "Traffic signals", "Weather"],
    ]);
    await page.getByRole("button", { name: "FR", exact: true }).click();
  });

  await t.test("a barrier is opened in two steps, and stands open by its name and on the map", async (t) => {
    await found("Barrière Darcy", /Dijon · Pas ouverte/);
    await openDevice(page, "barrier-1");
    t.match(await rowOf("État"), "État fermée bonne");
    t.match(await page.locator(".command .danger").innerText(), /lisse/);
    await page.locator(".command").getByLabel("Quoi").selectOption({ label: "Ouvrir" });
    await run();
    t.match(await page.locator(".preview").innerText(), /Ouverte\s+non[\s\S]*oui$/, "now and after");
    t.same(await street.effects("barrier-1"), [], "nothing moves before");
    await operate("Ouvrir", run);
    t.equal(await page.locator(".progress.succeeded").count(), 1);
    t.match(await page.locator(".ordered").innerText(), /Ouvrir$/);
    t.match(await page.locator(".result").innerText(), /Réussie Relu : oui/);
    const moved = await street.effects("barrier-1");
    t.ok(moved.length > 0, moved.join(", "));
    await page.locator(".points tr", { hasText: "ouverte" }).first().waitFor();
    await shoot("street-barrier");
    await found("Barrière Darcy", /Dijon · Ouverte/);
    await again();
  });

  await t.test(
    "onto a vehicle it is not closed: what forbids it is shown before, and said after",
    async (t) => {
      await street.control("POST", "/devices/barrier-1", { action: "occupy-safety-loop" });
      await page.locator(".points tr", { hasText: "Boucle de sécurité occupée" }).getByText("oui").waitFor();
      const before = (await street.effects("barrier-1")).length;
      // It rests between two operations (DOMAIN E.2, rule 15), and would be refused for that.
      await pause(Seconds(3));
      await operate("Fermer", async () => {
        await run();
        await page.getByRole("button", { name: "Sélectionner …" }).click();
        const seen = await page.locator(".command .selected").innerText();
        t.match(seen, /Boucle de sécurité occupée\s+oui/);
        await page.getByRole("button", { name: "Abandonner" }).click();
      });
      t.equal(await page.locator(".progress.rejected").count(), 1);
      t.match(await page.locator(".detail").innerText(), /safety-loop-occupied is true, but must be false/);
      t.equal((await street.effects("barrier-1")).length, before, "nothing moved");
      await again();
      await street.control("POST", "/devices/barrier-1", { action: "free-safety-loop" });
    },
  );

  await t.test("an alarm stands first at its device, and on the map", async (t) => {
    await street.control("POST", "/devices/barrier-1", { action: "break-arm" });
    await page.locator(".points .group-alarms").waitFor();
    const first = await page.locator(".points tbody").first().innerText();
    t.match(first, /Alarmes \(1\)\s+Lisse absente\s+oui/);
    await count("trouble", 1);
    await shoot("street-alarm");
    await street.control("POST", "/devices/barrier-1", { action: "mount-arm" });
    await count("trouble", 0);
  });

  await t.test("a junction's mode is chosen by its name, a door lets go for its time", async (t) => {
    await openDevice(page, "junction-1");
    await operate("Mode des feux", () =>
      page.locator(".command select").nth(1).selectOption({ label: "jaune clignotant" }),
    );
    t.equal(await page.locator(".progress.succeeded").count(), 1);
    t.match(await page.locator(".result").innerText(), /Relu : jaune clignotant/);
    await shoot("street-junction");
    await found("Carrefour Darcy", /Mode particulier/);
    await openDevice(page, "door-1");
    await operate("Gâche libérée", () => page.getByRole("button", { name: "Activer", exact: true }).click());
    t.equal(await page.locator(".progress.succeeded").count(), 1);
    await shoot("street-door");
  });

  await t.test("what has no link looks unknown, never fine", async (t) => {
    street.gateway.kill("SIGKILL");
    await count("doubtful", 16);
    await count("on", 0);
    await found("Barrière Darcy", /Inconnu \(sans liaison\)/);
    t.match(await page.locator(".device .notice").first().innerText(), /Aucune liaison avec gw-street/);
    await shoot("street-cut");
  });
  t.strictSame(complaints, [], "no error, and nothing that the content policy forbids");
});
