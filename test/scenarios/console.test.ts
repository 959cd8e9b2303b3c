import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import t from "tap";
import { DIJON, planCity } from "../../city/city-plan.ts";
import { openCutLine } from "../../city/cut-line.ts";
import { noBrowser, openDevice, openTestPage } from "../cloud-sync/browser-for-tests.ts";
import { eventually, openScenarioCity } from "./scenario-city.ts";

const BUILT = join(import.meta.dirname, "../../cloud-sync/console/dist/index.html");
const skip = existsSync(BUILT) ? noBrowser : "the console is not built: npm run build";

t.setTimeout(150_000);

t.test("at the console of a running city", { skip, timeout: 140_000 }, async (t) => {
  const plan = planCity(3, "none");
  const line = await openCutLine(plan);
  t.teardown(() => line[Symbol.asyncDispose]());
  const { city } = await openScenarioCity(t, { plan, centerUrl: line.centerUrl });
  const cabinet = plan.municipalities.find(({ gatewayId }) => gatewayId === DIJON)?.cabinets[0];
  const far = plan.municipalities.find(({ gatewayId }) => gatewayId === line.gatewayId);
  const lamp = cabinet?.lamps[0]?.id ?? "";
  const farLamp = far?.cabinets[0]?.lamps[0]?.id ?? "";
  await eventually("every link is up, and the lamp is told", async () => {
    const states = await city.client.states(DIJON, lamp);
    const links = await Promise.all(
      plan.municipalities.map(({ gatewayId }) => city.client.linkState(gatewayId)),
    );
    const known = states.some(
      ({ pointId, quality }) => pointId === `${lamp}/actual-level` && quality === "good",
    );
    return known && links.every((link) => link === "up") ? true : undefined;
  });
  const { page, complaints } = await openTestPage(t);
  await page.goto(city.address);
  await page.waitForSelector("canvas.places[data-painted]");
  await page.locator(".center-note.whole", { hasText: "Passerelles reliées : 3 sur 3" }).waitFor();
  t.match(await page.locator(".states .all b").innerText(), /\d/, "the map counts its places");
  // It takes three missed heartbeats to be noticed: meanwhile the operator works elsewhere.
  line.proxy.cut();

  await t.test(
    "a lamp is found, read on its bus, commanded, and the lamp itself is the witness",
    async (t) => {
      await openDevice(page, lamp);
      await page.getByRole("button", { name: "Lire maintenant" }).click();
      await page.locator(".read-now", { hasText: "Lu sur le bus en" }).waitFor();
      t.match(await rowOf(page, "Niveau mesuré"), /% +bonne +il y a \d s\s+lu à l’instant/);
      const before = await city.journal.position();
      await page.locator(".number-choice").getByRole("button", { name: "100", exact: true }).click();
      await page.getByRole("button", { name: "Envoyer" }).click();
      await page.locator(".progress.succeeded").waitFor();
      t.match(await page.locator(".progress .result").innerText(), /Réussie Relu : 100 % en 0,\d+ s/);
      const moved = (await city.journal.since(before)).filter(({ device }) => device === lamp);
      t.match(moved, [{ what: "level", to: 100 }], "one effect, by the lamp's own journal");
      await page.locator(".figure dd", { hasText: "100 %" }).nth(1).waitFor();
      t.match(await page.locator(".targets").innerText(), /Dernier ordre\s+100 %\s+Réussie/);
    },
  );

  await t.test("a contactor takes two steps, on what was read on the bus, and moves once", async (t) => {
    const id = cabinet?.id ?? "";
    const feeder = cabinet?.feeders[0]?.feeder ?? 1;
    await openDevice(page, id);
    await page.locator(".command").getByRole("button", { name: "Éteindre" }).click();
    const before = await city.journal.position();
    await page.getByRole("button", { name: "Sélectionner …" }).click();
    await page.getByRole("button", { name: /Manœuvrer/ }).waitFor();
    const seen = await page.locator(".command .selected").innerText();
    t.match(seen, new RegExp(`Départ ${feeder} · contacteur, retour\\s+oui\\s+lu à l’instant`));
    t.notMatch(seen, /transmis/, "every line of it was read for this");
    t.same(await city.journal.since(before), [], "nothing moves with the first press");
    await page.getByRole("button", { name: /Manœuvrer/ }).click();
    await page.locator(".progress.succeeded").waitFor();
    const contactor = (await city.journal.since(before)).filter(({ what }) => what === `contactor-${feeder}`);
    t.match(contactor, [{ device: id, from: 1, to: 0 }]);
  });

  await t.test("a cut municipality turns unknown, and comes back", async (t) => {
    await page
      .locator(".center-note.partial", { hasText: "Passerelles reliées : 2 sur 3" })
      .waitFor({ timeout: 30_000 });
    await openDevice(page, farLamp);
    t.match(await page.locator(".device .notice").first().innerText(), /Aucune liaison avec/);
    t.ok(
      await page.getByRole("button", { name: "Lire maintenant" }).isDisabled(),
      "K0 nobody is there to ask",
    );
    await page.locator("#municipality").selectOption({ label: far?.name ?? "" });
    const everything = await page.locator(".states .all b").innerText();
    t.equal(await page.locator(".states .doubtful b").innerText(), everything, "nothing of it looks fine");
    line.proxy.mend();
    await page.locator(".center-note.whole").waitFor({ timeout: 30_000 });
    const sure = page.locator(".states .doubtful b", { hasText: /^0$/ });
    await sure.waitFor({ timeout: 30_000 });
    t.pass("every place of it is known again");
  });

  t.strictSame(complaints, [], "no error, and nothing that the content policy forbids");
});

const rowOf = async (page: Page, name: string): Promise<string> =>
  (await page.locator(".points tr", { hasText: name }).innerText()).replaceAll("\t", " ");
