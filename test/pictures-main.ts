import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Page } from "playwright-core";
import { noBrowser, openDevice, openTestPage } from "./cloud-sync/browser-for-tests.ts";

const HELP = `Takes the pictures of the documentation from a running city.

  npm start -- --sky 22:30                      in one terminal; it prints the address of its page
  npm run pictures -- 'http://HOST:PORT/#token=…'   in another; orders one lamp to 75 % and moves nothing else

  --folder DIR   where they go (docs/images)
  --lamp ID      the lamp that is opened and commanded (dijon-c0001-l05)
  --cabinet ID   the cabinet whose contactor is selected, and left alone (dijon-c0001)

console-cut.png needs a cut link: SHOTS=docs/images with test/cloud-sync/console.test.ts takes it.
Exit codes: 0 taken, 1 could not be taken, 2 wrong arguments.
`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const settings = parse(args);
  if (settings === undefined) {
    process.stderr.write(HELP);
    return 2;
  }
  const undo: (() => Promise<void>)[] = [];
  try {
    if (noBrowser !== false) throw new Error(noBrowser);
    const { page } = await openTestPage({ teardown: (action) => void undo.unshift(action) });
    await takeAll(page, settings);
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    for (const action of undo) await action();
  }
}

interface Settings {
  readonly address: string;
  readonly folder: string;
  readonly lamp: string;
  readonly cabinet: string;
}

function parse(args: readonly string[]): Settings | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        folder: { type: "string", default: join(import.meta.dirname, "../docs/images") },
        lamp: { type: "string", default: "dijon-c0001-l05" },
        cabinet: { type: "string", default: "dijon-c0001" },
      },
    });
    const [address, ...more] = positionals;
    return address?.startsWith("http") !== true || more.length > 0 ? undefined : { address, ...values };
  } catch {
    return undefined;
  }
}

async function takeAll(page: Page, { address, folder, lamp, cabinet }: Settings): Promise<void> {
  const take = async (name: string): Promise<void> => {
    await page.screenshot({ path: join(folder, `${name}.png`) });
    process.stdout.write(`${name}.png\n`);
  };
  await page.goto(address);
  await page.waitForSelector("canvas.places[data-painted]");
  await page.locator(".center-note.whole").waitFor({ timeout: 120_000 });
  await page.waitForTimeout(2_000);
  await take("console-map");
  await openDevice(page, lamp);
  await page.getByRole("button", { name: "Lire maintenant" }).click();
  await page.locator(".read-now", { hasText: "Lu sur le bus" }).waitFor();
  await page.locator(".chart canvas").waitFor();
  await take("console-device");
  await page.locator(".number-choice").getByRole("button", { name: "75", exact: true }).click();
  await page.getByRole("button", { name: "Envoyer" }).click();
  await page.locator(".progress.over").waitFor();
  await page.waitForTimeout(1_500);
  await take("console-command");
  await openDevice(page, cabinet);
  await page.locator(".command").getByRole("button", { name: "Éteindre" }).click();
  await page.getByRole("button", { name: "Sélectionner …" }).click();
  await page.getByRole("button", { name: /Manœuvrer/ }).waitFor();
  await take("console-contactor");
  await page.getByRole("button", { name: "Abandonner" }).click();
  await page.getByRole("button", { name: "Fermer" }).click();
  await page.getByRole("button", { name: "Passerelles" }).click();
  await page.locator(".gateways tbody tr").first().waitFor();
  await page.waitForTimeout(1_000);
  await take("console-gateways");
  await page.getByRole("button", { name: "Clair" }).click();
  await page.getByRole("button", { name: "Carte", exact: true }).click();
  await page.waitForSelector("canvas.places[data-painted]");
  await page.waitForTimeout(1_000);
  await take("console-light");
}
