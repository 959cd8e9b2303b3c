import type { Page } from "playwright-core";
import t from "tap";
import { GatewayId } from "../../domain/ids.ts";
import { noBrowser, openDevice, openTestPage } from "./browser-for-tests.ts";
import { CITY } from "./console-city.ts";
import { type ConsoleCenter, movePoint, openConsoleCenter, proofOf, settled } from "./console-for-tests.ts";

const LAMP = "dijon-101-07";
const MAP = ".map-hands";
/** Screenshots of the documentation are made anew by `SHOTS=docs/images`. */
const SHOTS = process.env["SHOTS"];

// The city takes seconds to make, and a loaded machine several times as long.
t.setTimeout(180_000);

t.test("an operator's day at the console", { skip: noBrowser, timeout: 170_000 }, async (t) => {
  const center = await openConsoleCenter(t, CITY);
  await giveHistory(center);
  const { page, asked, complaints } = await openTestPage(t);
  const began = performance.now();
  await page.goto(`${center.url}/#token=${center.token}`);
  await page.waitForSelector("canvas.places[data-painted]");
  t.comment(`first view of ${center.places} places in ${Math.round(performance.now() - began)} ms`);

  await t.test("the map shows every lamp and cabinet, and the address forgets the token", async (t) => {
    const all = await page.locator(".states .all b").innerText();
    t.equal(Number(all.replace(/\D/g, "")), center.places);
    t.ok((await inkOf(page)) > 20_000, "the canvas of places has ink");
    t.notMatch(page.url(), /token|nerve_/);
    t.match(await page.locator(".attribution").innerText(), /IGN Admin Express/);
    await shoot(page, "console-map");
  });

  await t.test("panning and zooming move the picture at the speed of the screen", async (t) => {
    const frames = await panned(page);
    t.comment(
      `median frame while panning ${frames.median.toFixed(1)} ms, p95 ${frames.p95.toFixed(1)} ms, ${frames.count} frames`,
    );
    t.ok(frames.count > 10);
    const before = await inkOf(page);
    await page.mouse.move(800, 450);
    await page.mouse.wheel(0, -1_200);
    await page.waitForTimeout(200);
    t.not(await inkOf(page), before, "the wheel comes nearer");
    await page.getByRole("button", { name: "Toute la ville" }).click();
  });

  await t.test("with the keyboard alone a lamp is found, opened, read and left", async (t) => {
    await page.locator("#search").focus();
    await page.keyboard.type("DIJON-101-07");
    await page.getByRole("option").first().waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: LAMP }).waitFor();
    await page.locator(".points tr", { hasText: "Niveau mesuré" }).waitFor();
    const row = await page.locator(".points tr", { hasText: "Niveau mesuré" }).innerText();
    t.match(row, /50 %\s+bonne\s+il y a \d+ s/, "value, unit, quality and age stand together");
    const age = page.locator(".points tr", { hasText: "Niveau mesuré" }).locator(".age");
    const first = await age.innerText();
    await page.waitForTimeout(2_100);
    t.not(await age.innerText(), first, "the age goes on");
    await page.locator(".chart canvas").waitFor();
    await shoot(page, "console-device");
    await page.keyboard.press("Escape");
    t.equal(await page.locator(".device").count(), 0);
    t.equal(await page.evaluate("document.activeElement.getAttribute('class')"), "map-hands");
    const seen = await inkOf(page);
    for (const key of ["ArrowLeft", "ArrowUp", "+", "+", "-"]) await page.keyboard.press(key);
    await page.waitForTimeout(200);
    t.not(await inkOf(page), seen, "arrows and plus move the map");
  });

  await t.test("a lamp is commanded and its proof is shown, step by step", async (t) => {
    await openDevice(page, LAMP);
    await page.locator(".number-choice").getByRole("button", { name: "75", exact: true }).click();
    t.match(await page.locator(".preview").innerText(), /50 %[\s\S]*75 %/, "now and after");
    await page.getByRole("button", { name: "Envoyer" }).click();
    const id = await settled(async () => center.downlinks.sent.at(-1)?.commandId);
    await page.locator(".steps .now", { hasText: "Envoyée" }).waitFor();
    await center.tell(id, { name: "executing" });
    await page.locator(".steps .now", { hasText: "En exécution" }).waitFor();
    await shoot(page, "console-command");
    await center.tell(id, { name: "succeeded", evidence: proofOf(LAMP, 75) });
    await page.locator(".progress.succeeded").waitFor();
    t.match(await page.locator(".progress .result").innerText(), /Réussie Relu : 75 % en 0,14 s/);
    t.match(await page.locator(".spoken").innerText(), /Réussie.*Relu/, "it is read aloud");
    await movePoint(center, "gw-dijon", `${LAMP}/actual-level`, 75);
    await page.locator(".figure dd", { hasText: "75 %" }).nth(1).waitFor();
    t.match(await page.locator(".targets").innerText(), /Dernier ordre\s+75 %\s+Réussie/);
  });

  await t.test("a refused command tells the cause and what to do", async (t) => {
    await page.getByRole("button", { name: "Autre commande" }).click();
    await page.locator(".number-choice").getByRole("button", { name: "25", exact: true }).click();
    const sent = center.downlinks.sent.length;
    await page.getByRole("button", { name: "Envoyer" }).click();
    const id = await settled(async () => center.downlinks.sent[sent]?.commandId);
    await center.tell(id, { name: "rejected", cause: "blocked", detail: "crew/7" });
    await page.locator(".progress.rejected").waitFor();
    t.match(await page.locator(".advice").innerText(), /consignation/);
  });

  await t.test("a contactor takes two presses", async (t) => {
    await openDevice(page, "dijon-cab-101");
    const given = async () => (await center.ledger.list({ gatewayId: null, limit: 100 })).length;
    const before = await given();
    await page.locator(".command").getByRole("button", { name: "Éteindre" }).click();
    await page.getByRole("button", { name: "Sélectionner …" }).click();
    await page.getByRole("button", { name: /Manœuvrer/ }).waitFor();
    t.equal(await given(), before, "nothing is ordered with the first");
    t.match(
      await page.locator(".command .selected").innerText(),
      /Départ 1 · contacteur, retour\s+oui/,
      "it shows how it stands",
    );
    await shoot(page, "console-contactor");
    await page.getByRole("button", { name: /Manœuvrer/ }).click();
    await page.locator(".steps").waitFor();
    const [newest] = await center.ledger.list({ gatewayId: GatewayId("gw-dijon"), limit: 1 });
    t.match(newest, { pointId: "dijon-cab-101/feeder-1-contactor-demand", commandClass: "K3", value: false });
    const frame = (action: string) =>
      settled(async () => center.downlinks.sent.find((each) => each.action === action));
    const { commandId } = await frame("select");
    await center.tell(commandId, { name: "selected", preview: newest?.confirmed ?? [] });
    t.equal((await frame("operate")).commandId, commandId, "what stands as it was confirmed is operated");
    await center.tell(commandId, { name: "succeeded", evidence: proofOf("dijon-cab-101", false) });
    await page.locator(".progress.succeeded").waitFor();
    t.match(await page.locator(".progress .result").innerText(), /Relu : non/);
  });

  await t.test("a group shows how its lamps are before it is commanded", async (t) => {
    await openDevice(page, "dijon-cab-101-group-1");
    await page.locator(".number-choice").getByRole("button", { name: "50", exact: true }).click();
    t.match(await page.locator(".preview tfoot").innerText(), /40 lampes : \d+ à \d+ %/);
    await page.keyboard.press("Escape");
  });

  await t.test("a gateway without link makes its area unknown, and the link brings it back", async (t) => {
    await page.getByRole("button", { name: "Toute la ville" }).click();
    await page.locator("#municipality").selectOption({ label: "Quetigny" });
    await page.locator(".states .all b").waitFor();
    const doubtful = page.locator(".states .doubtful b");
    const calm = await doubtful.innerText();
    center.links.cut(GatewayId("gw-quetigny"), center.events);
    const everything = await page.locator(".states .all b").innerText();
    await page.locator(".center-note.partial", { hasText: "Passerelles reliées : 22 sur 23" }).waitFor();
    t.equal(await doubtful.innerText(), everything, "nothing of it looks fine");
    t.equal(await page.locator(".states .on b").innerText(), "0");
    await page.locator(".filters select").selectOption({ value: "" });
    await page.waitForTimeout(300);
    await shoot(page, "console-cut");
    await openDevice(page, "quetigny-003-02");
    t.match(await page.locator(".device .notice").first().innerText(), /Aucune liaison avec gw-quetigny/);
    center.links.restore(GatewayId("gw-quetigny"), center.events);
    await page.locator(".center-note.whole").waitFor();
    await page.keyboard.press("Escape");
    await page.locator("#municipality").selectOption({ label: "Quetigny" });
    await page.locator(".states .doubtful b", { hasText: new RegExp(`^${calm}$`) }).waitFor();
    t.pass(`${calm} are doubtful, as before`);
  });

  await t.test("alarms stand by need, lead to their devices, are acknowledged and shelved", async (t) => {
    await page.keyboard.press("Escape");
    await page
      .getByRole("button", { name: /^Alarmes/ })
      .first()
      .click();
    const rows = page.locator(".alarms tbody tr");
    await rows.first().waitFor();
    const count = page.locator(".top-bar .count");
    const unseen = Number(await count.innerText());
    t.ok(unseen > 1, `${unseen} alarms`);
    t.equal(await rows.count(), unseen);
    await rows.first().getByRole("button", { name: "Acquitter" }).click();
    await page.locator(".top-bar .count", { hasText: String(unseen - 1) }).waitFor();
    await rows
      .first()
      .getByRole("button", { name: /Mettre de côté/ })
      .click();
    await page.getByPlaceholder("Pourquoi").fill("relamping");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Mises de côté (1)" }).click();
    t.match(await rows.first().innerText(), /Mise de côté par operator\/anna jusqu’au .*: relamping/);
    await shoot(page, "console-alarms");
    await rows.first().locator("button.plain").click();
    await page.locator(".device .id").waitFor();
    await page.keyboard.press("Escape");
  });

  await t.test("an unknown outcome is resolved with what is read back, and stays unknown", async (t) => {
    await page.getByRole("button", { name: "Carte", exact: true }).click();
    await openDevice(page, LAMP);
    const sent = center.downlinks.sent.length;
    await page.locator(".number-choice").getByRole("button", { name: "0", exact: true }).click();
    await page.getByRole("button", { name: "Envoyer" }).click();
    const id = await settled(async () => center.downlinks.sent[sent]?.commandId);
    await center.tell(id, { name: "outcome-unknown", evidence: { ...proofOf(LAMP, 0), acknowledged: null } });
    await page.locator(".resolve").waitFor();
    await page.locator(".resolve textarea").fill("vu sur place : elle brûle");
    await page.getByRole("button", { name: "Relire et résoudre" }).click();
    const resolved = await page.locator(".resolved").innerText();
    t.match(resolved, /Résolue par operator\/anna, .*vu sur place/s);
    t.match(resolved, /Relu alors[\s\S]*Niveau mesuré\s+75 %\s+lu à l’instant/);
    t.equal(await page.locator(".progress.outcome-unknown").count(), 1, "I27 it stays unknown");
    await page.getByRole("button", { name: "Fermer" }).click();
  });

  await t.test("commands, gateways and both languages", async (t) => {
    await page.getByRole("button", { name: "Commandes" }).click();
    await page.locator(".page tbody tr").first().waitFor();
    t.equal(await page.locator(".page tbody tr").count(), 4);
    await page.getByRole("button", { name: "EN", exact: true }).click();
    t.equal(await page.locator("h1").innerText(), "Recent commands");
    t.match(await page.locator(".page tbody").innerText(), /Succeeded[\s\S]*Read back 75/);
    await page.getByRole("button", { name: "Gateways" }).click();
    await page.locator(".gateways tbody tr").nth(22).waitFor();
    t.match(
      await page.locator(".gateways tbody tr", { hasText: "gw-dijon" }).innerText(),
      /Linked[\s\S]*99\.99% complete[\s\S]*12 still to come/,
    );
    await shoot(page, "console-gateways");
    await page.getByRole("button", { name: "Light" }).click();
    await page.getByRole("button", { name: "Map", exact: true }).click();
    await page.locator(MAP).waitFor();
    await shoot(page, "console-light");
    await page.reload();
    await page.getByText("Live").waitFor();
    t.equal(await page.evaluate("document.documentElement.dataset.theme"), "light", "both are remembered");
  });

  t.strictSame(complaints, [], "no error, and nothing that the content policy forbids");
  t.strictSame([...asked], [new URL(center.url).origin], "nothing is asked of another origin");
});

/** Runs in the page. Pixels of the places' canvas that are not empty: another picture has another number. */
const INK = `(() => {
  const canvas = document.querySelector("canvas.places");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let ink = 0;
  for (let at = 3; at < data.length; at += 4) if (data[at] > 0) ink += at % 1_009;
  return ink;
})()`;
const inkOf = (page: Page): Promise<number> => page.evaluate(INK);

/** Runs in the page: drags for 90 frames and gives the time of each. */
const PAN = `new Promise((resolve) => {
  const map = document.querySelector(".map-hands");
  const found = [];
  let last = performance.now();
  const move = (type, x) =>
    map.dispatchEvent(new PointerEvent(type, { pointerId: 1, clientX: x, clientY: 450, bubbles: true }));
  map.setPointerCapture = () => undefined;
  move("pointerdown", 800);
  const step = (now) => {
    found.push(now - last);
    last = now;
    move("pointermove", 800 + 150 * Math.sin(found.length / 12));
    if (found.length < 90) return requestAnimationFrame(step);
    move("pointercancel", 800);
    resolve(found.slice(5));
  };
  requestAnimationFrame(step);
})`;

async function panned(
  page: Page,
): Promise<{ readonly median: number; readonly p95: number; readonly count: number }> {
  const times = await page.evaluate<number[]>(PAN);
  const sorted = times.sort((left, right) => left - right);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;
  return { median: at(0.5), p95: at(0.95), count: sorted.length };
}

async function shoot(page: Page, name: string): Promise<void> {
  if (SHOTS !== undefined) await page.screenshot({ path: `${SHOTS}/${name}.png` });
}

/** A day of the lamp in steps. */
async function giveHistory({ database }: ConsoleCenter): Promise<void> {
  await database.query(
    {
      name: "test-history",
      text: `insert into readings (point_no, incarnation_no, lane, seq, gateway_at, state_version, value_kind, value_number, quality, cause)
        select p.point_no, 1, 'C', n, now() - make_interval(mins => 20 * n), 10000 - n, 1,
          case when extract(hour from now() - make_interval(mins => 20 * n)) between 6 and 16 then 0
               when extract(hour from now() - make_interval(mins => 20 * n)) between 17 and 21 then 100
               else 40 + (n % 3) * 5 end, 0, 0
        from points p, generate_series(1, 2160) as n where p.point_id = $1`,
    },
    [`${LAMP}/actual-level`],
  );
}
