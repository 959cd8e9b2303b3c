import { existsSync } from "node:fs";
import { chromium, type Page } from "playwright-core";
import t from "tap";
import { moveStates } from "../../cloud-sync/store/tables/point-states.ts";
import { PointId, PointNumber } from "../../domain/ids.ts";
import { Millis } from "../../domain/time.ts";
import { rowsOf } from "./center-for-tests.ts";
import { GATEWAY, PROOF } from "./dispatch-for-tests.ts";
import { type OperatorContext, openTestOperators } from "./operators-for-tests.ts";

const BROWSER = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path),
);
const skip = BROWSER === undefined ? "no Chromium on this machine: apt-get install chromium" : false;

async function openPage(t: OperatorContext) {
  const center = await openTestOperators(t);
  const [point] = await rowsOf(
    center.database,
    "select point_no, gateway_no from points where point_id = 'lamp-1/actual-level'",
  );
  const gatewayNo = Number(point?.["gateway_no"]);
  const tellLevel = async (value: number, stateVersion: number): Promise<void> => {
    const at = center.clock.now();
    const fixed = { point: PointNumber(2), quality: "good", cause: "none", sourceTimestamp: null } as const;
    const reading = { ...fixed, value, gatewayTimestamp: at, stateVersion };
    const placed = {
      pointNo: Number(point?.["point_no"]),
      sequence: stateVersion,
      reading,
      corrected: { at, error: Millis(0) },
    };
    await center.database.transaction((tx) =>
      moveStates(tx, { gatewayNo, lineageOrder: 1, readings: [placed], at }),
    );
    center.events.tell("state-changed", { gatewayId: GATEWAY, pointIds: [PointId("lamp-1/actual-level")] });
  };
  center.links.activate(GATEWAY, gatewayNo, "1.1");
  await center.database.query(
    { name: "test-link-up", text: "update gateway_links set state = 'up', changed_at = now()" },
    [],
  );
  await tellLevel(85, 1);
  const browser = await chromium.launch({
    executablePath: BROWSER ?? "",
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
  });
  t.teardown(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1_100, height: 700 } });
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  return { center, page, complaints, tellLevel };
}

const rowText = (page: Page) => page.locator("tr", { hasText: "actual-level" }).innerText();

t.test(
  "a person sees a lamp, commands it by keyboard, and watches the command to its end",
  { skip },
  async (t) => {
    const { center, page, complaints, tellLevel } = await openPage(t);
    await page.goto(`${center.url}/#token=${center.held.operator}`);
    await page.getByText("link up").waitFor();
    t.notOk(page.url().includes("token"), "the token is not left in the address");
    await page.locator("tr.good", { hasText: "85 %" }).waitFor();
    t.match(await rowText(page), /actual-level\s+85 %\s+good\s+\d+ s/);
    await page.getByLabel("dim-level, 0 … 100 %").focus();
    await page.keyboard.type("40");
    await page.keyboard.press("Enter");
    center.link.up("1.1");
    const line = page.locator("li[data-command]");
    await line.waitFor();
    const [command] = (await center.ledger.listOpen()).slice(-1);
    if (command === undefined) throw new Error("nothing was ordered");
    await center.round();
    const sent = await center.find(command.id);
    for (const state of [{ name: "executing" }, { name: "succeeded", evidence: PROOF }] as const) {
      await center.tell(sent, state);
      center.events.tell("evidence-arrived", { gatewayId: GATEWAY, commandIds: [command.id] });
    }
    await tellLevel(40, 2);
    await page.locator("li[data-state=succeeded]").waitFor();
    t.match(
      await line.innerText(),
      /dim-level → 40: queued → sent → executing → succeeded · read back 40 % of 40 %/,
    );
    await page.locator("tr.good", { hasText: "40 %" }).waitFor();
    if (process.env["SCREENSHOT"] !== undefined) await page.screenshot({ path: process.env["SCREENSHOT"] });
    t.same(complaints, [], "the page's policy forbids nothing that it needs");
  },
);

t.test("a lost link makes a value unknown, and a lost center all of them", { skip }, async (t) => {
  const { center, page } = await openPage(t);
  await page.goto(`${center.url}/#token=${center.held.viewer}`);
  await page.locator("tr.good", { hasText: "85 %" }).waitFor();
  await center.database.query(
    { name: "test-link-down", text: "update gateway_links set state = 'down', changed_at = now()" },
    [],
  );
  center.events.tell("link-changed", { gatewayId: GATEWAY, state: "down" });
  await page.getByText("link down").waitFor();
  t.match(await rowText(page), /unknown \(was 85 %\)\s+link is down/);
  await center.listener[Symbol.asyncDispose]();
  await page.getByText("not connected: values are not current").waitFor();
  t.match(await rowText(page), /unknown \(was 85 %\)\s+no connection to the center/);
});

t.test("a token that does not work is told, and another one is asked for", { skip }, async (t) => {
  const { center, page } = await openPage(t);
  await center.tokens.revoke("test-viewer", "operator/test");
  await page.goto(`${center.url}/#token=${center.held.viewer}`);
  await page.getByText("does not know this token").waitFor();
  await page.getByLabel("Access token").fill(center.held.admin);
  await page.keyboard.press("Enter");
  await page.locator("tr.good", { hasText: "85 %" }).waitFor();
  t.notOk(await page.getByLabel("Access token").isVisible());
});
