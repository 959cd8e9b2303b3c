import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Page } from "playwright-core";
import { startCity } from "../city/city.ts";
import { DIJON, planCity } from "../city/city-plan.ts";
import { openCutLine } from "../city/cut-line.ts";
import { MALLOC_CHOICES } from "../city/program.ts";
import { parseSkyOption } from "../city/sky-option.ts";
import { waitUntilKnown } from "../city/wait-until-known.ts";
import { systemClock } from "../domain/system-clock.ts";
import { noBrowser, openDevice, openTestPage } from "./cloud-sync/browser-for-tests.ts";

const HELP = `Takes the pictures of the documentation.

  npm run pictures                                   from a whole city of its own, at half past ten in the evening: some minutes
  npm run pictures -- 'http://HOST:PORT/#token=…'    from a city that runs: npm start -- --sky 22:30 prints the address

It orders one lamp to 75 % and opens one barrier. In its own city it also opens a cabinet's door, trips a breaker, breaks an arm
and cuts a municipality's link, for console-alarms.png and console-cut.png.

  --folder DIR   where they go (docs/images)
  --cabinets N   of its own city: a smaller one
Exit codes: 0 taken, 1 could not be taken, 2 wrong arguments.
`;

const LAMP = "dijon-c0001-l05";
const CABINET = "dijon-c0001";
const BARRIER = "dijon-barrier-1";
const JUNCTION = "dijon-junction-1";
/** Both run in the page. */
const CALM = 'Number(document.querySelector(".states .doubtful b").innerText.replace(/\\D/g, "")) <= 5';
const TO_TOP = 'document.querySelector(".device").scrollTo(0, 0)';
/** Its own city is as a running one, with lamps that fail by themselves. */
const LAMP_FAILS_EVERY_SEC = 60;

for (const [name, value] of Object.entries(MALLOC_CHOICES)) process.env[name] ??= value;
process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const settings = parse(args);
  if (settings === undefined) {
    process.stderr.write(HELP);
    return 2;
  }
  const undo: (() => Promise<void>)[] = [];
  const later = (action: () => Promise<void>): void => void undo.unshift(action);
  try {
    if (noBrowser !== false) throw new Error(noBrowser);
    const street = settings.address === undefined ? await ownCity(settings, later) : undefined;
    const { page } = await openTestPage({ teardown: later });
    await takeAll(page, settings.folder, street ?? { address: settings.address ?? "" });
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    for (const action of undo) await action();
  }
}

interface Settings {
  readonly address: string | undefined;
  readonly folder: string;
  readonly cabinets: number | "all";
}

function parse(args: readonly string[]): Settings | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        folder: { type: "string", default: join(import.meta.dirname, "../docs/images") },
        cabinets: { type: "string" },
      },
    });
    const [address, ...more] = positionals;
    if (more.length > 0 || address?.startsWith("http") === false) return undefined;
    const cabinets = values.cabinets === undefined ? "all" : Number(values.cabinets);
    return { address, folder: values.folder, cabinets };
  } catch {
    return undefined;
  }
}

/** What can be seen, and what can be done where nobody minds. */
interface Pictured {
  readonly address: string;
  /** Hands in the street. */
  readonly trouble?: () => Promise<void>;
  readonly cut?: () => void;
}

async function ownCity(
  { cabinets }: Settings,
  later: (action: () => Promise<void>) => void,
): Promise<Pictured> {
  const folder = await mkdtemp(join(tmpdir(), "nerve-pictures-"));
  later(() => rm(folder, { recursive: true, force: true }));
  const plan = planCity(cabinets);
  const line = await openCutLine(plan);
  later(async () => await line[Symbol.asyncDispose]());
  const { signal } = new AbortController();
  const onProgress = (what: string): void => void process.stderr.write(`${what}\n`);
  const common = { clock: systemClock, signal, onProgress };
  const city = await startCity({
    ...{ ...common, folder, plan, port: 0, fresh: "keep", centerUrl: line.centerUrl },
    lampFailsEverySec: LAMP_FAILS_EVERY_SEC,
    sky: parseSkyOption("22:30", 1, systemClock.now()),
  });
  later(async () => await city[Symbol.asyncDispose]());
  await waitUntilKnown(city, common);
  const [first, second] = plan.cabinets.filter(({ id }) => id.startsWith(`${DIJON.slice(3)}-`));
  return {
    address: city.address,
    trouble: async () => {
      await city.hand.treat(first?.id ?? "", "open-door");
      await city.hand.treat((second ?? first)?.id ?? "", "trip-breaker", 1);
      await city.hand.treatDevice(BARRIER, "break-arm");
    },
    cut: () => line.proxy.cut(),
  };
}

async function takeAll(page: Page, folder: string, city: Pictured): Promise<void> {
  const take = async (name: string): Promise<void> => {
    await page.screenshot({ path: join(folder, `${name}.png`) });
    process.stdout.write(`${name}.png\n`);
  };
  await page.goto(city.address);
  await page.waitForSelector("canvas.places[data-painted]");
  await page.locator(".center-note.whole").waitFor({ timeout: 120_000 });
  // A city that has just started still reads some values for the first time.
  for (let look = 0; look < 240 && !(await page.evaluate<boolean>(CALM)); look += 1)
    await page.waitForTimeout(500);
  await take("console-map");
  await takeDevices(page, take);
  await takeJunction(page, take);
  await takePages(page, take, city);
  if (city.cut !== undefined) {
    await page.getByRole("button", { name: "Toute la ville" }).click();
    city.cut();
    await page.locator(".center-note.partial").waitFor({ timeout: 60_000 });
    await page.waitForTimeout(1_500);
    await take("console-cut");
  }
  await page.getByRole("button", { name: "Clair" }).click();
  await openDevice(page, LAMP);
  await page.getByRole("button", { name: "Fermer" }).click();
  await page.waitForTimeout(1_000);
  await take("console-light");
}

type Take = (name: string) => Promise<void>;

async function takeDevices(page: Page, take: Take): Promise<void> {
  await openDevice(page, LAMP);
  await page.getByRole("button", { name: "Lire maintenant" }).click();
  await page.locator(".read-now", { hasText: "Lu sur le bus" }).waitFor();
  await page.locator(".chart canvas").waitFor();
  await page.evaluate(TO_TOP);
  await take("console-device");
  await page.locator(".number-choice").getByRole("button", { name: "75", exact: true }).click();
  await page.getByRole("button", { name: "Envoyer" }).click();
  await page.locator(".progress.over").waitFor();
  await page.waitForTimeout(1_500);
  await page.evaluate(TO_TOP);
  await take("console-command");
  await openDevice(page, CABINET);
  await page.locator(".command").getByRole("button", { name: "Éteindre" }).click();
  await selected(page);
  await take("console-contactor");
  await page.getByRole("button", { name: "Abandonner" }).click();
}

async function selected(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Sélectionner …" }).click();
  const operate = page.getByRole("button", { name: /Manœuvrer/ });
  await operate.waitFor();
  await operate.scrollIntoViewIfNeeded();
}

/** An action with an argument, selected and left; and a barrier that is opened. */
async function takeJunction(page: Page, take: Take): Promise<void> {
  await openDevice(page, JUNCTION);
  await page.locator(".command").getByLabel("Quoi").selectOption({ label: "Ouvrir un itinéraire d’urgence" });
  await page.locator("#argument-route").fill("3");
  await selected(page);
  await take("console-junction");
  await page.getByRole("button", { name: "Abandonner" }).click();
  await openDevice(page, BARRIER);
  await page.locator(".command").getByLabel("Quoi").selectOption({ label: "Ouvrir" });
  await page.getByRole("button", { name: "Lancer" }).click();
  await selected(page);
  await page.getByRole("button", { name: /Manœuvrer/ }).click();
  await page.locator(".progress.over").waitFor({ timeout: 20_000 });
  await page.waitForTimeout(1_500);
  await page.evaluate(TO_TOP);
  await take("console-barrier");
  await page.getByRole("button", { name: "Fermer" }).click();
}

async function takePages(page: Page, take: Take, { trouble }: Pictured): Promise<void> {
  if (trouble !== undefined) {
    await trouble();
    await page
      .getByRole("button", { name: /^Alarmes/ })
      .first()
      .click();
    await page.locator(".alarms tbody tr", { hasText: "Lisse absente" }).waitFor();
    await page.locator(".alarms tbody tr", { hasText: "Porte ouverte" }).waitFor();
    await page.locator(".alarms tbody tr", { hasText: "Disjoncteur" }).waitFor();
    await page.waitForTimeout(1_000);
    await take("console-alarms");
  }
  await page.getByRole("button", { name: "Passerelles" }).click();
  await page.locator(".gateways tbody tr").first().waitFor();
  await page.waitForTimeout(1_000);
  await take("console-gateways");
  await page.getByRole("button", { name: "Carte", exact: true }).click();
  await page.waitForSelector("canvas.places[data-painted]");
}
