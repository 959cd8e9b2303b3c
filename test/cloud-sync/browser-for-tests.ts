import { existsSync } from "node:fs";
import { type BrowserContext, chromium, type Page } from "playwright-core";

const BROWSER = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path),
);
/** Why no test can drive a browser here; false: it can. */
export const noBrowser =
  BROWSER === undefined ? "no Chromium on this machine: apt-get install chromium" : false;
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export interface TestPage {
  readonly page: Page;
  /** Origins of which anything was asked. */
  readonly asked: ReadonlySet<string>;
  /** Errors of the page, and what its content policy forbade. */
  readonly complaints: readonly string[];
}

/** A French operator's dark screen. */
export async function openTestPage(t: { teardown(action: () => Promise<void>): void }): Promise<TestPage> {
  const browser = await chromium.launch({ executablePath: BROWSER ?? "", args: FLAGS });
  t.teardown(() => browser.close());
  const context: BrowserContext = await browser.newContext({
    viewport: { width: 1_440, height: 900 },
    locale: "fr-FR",
    timezoneId: "Europe/Paris",
    colorScheme: "dark",
  });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  const asked = new Set<string>();
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith("data:")) asked.add(new URL(request.url()).origin);
  });
  t.teardown(async () => {
    await page.goto("about:blank");
  });
  return { page, asked, complaints };
}

/** By search, as an operator would. */
export async function openDevice(page: Page, id: string): Promise<void> {
  await page.locator("#search").fill(id);
  await page.getByRole("option").first().waitFor();
  await page.locator("#search").press("Enter");
  await page.locator(".device .id", { hasText: `/${id}` }).waitFor();
  await page.locator(".device .command").waitFor();
}
