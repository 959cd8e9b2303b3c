import { join } from "node:path";
import t from "tap";
import { PointNumber } from "../../domain/ids.ts";
import { makeFieldPlans } from "../../gateway/field-plans.ts";
import { loadSite } from "../../gateway/site/load-site.ts";
import { numberSite } from "../../gateway/site/number-site.ts";
import { tellingOrderOf } from "../../gateway/telling-order.ts";

const SITE = [
  "site: { id: street, name: Street }",
  "gateway: gw-1",
  "dataFolder: data",
  "buses: [{ id: cabinet, driver: modbus, transport: tcp, host: 127.0.0.1, port: 502 }]",
  "devices:",
  "  - { id: lamp-1, profile: intesis-dali-lamp, bus: cabinet, unit: 1, parameters: { shortAddress: 0 } }",
  "  - { id: group-1, profile: intesis-dali-group, bus: cabinet, unit: 1, parameters: { group: 0 }, members: [lamp-1] }",
  "  - { id: cabinet-1, profile: neutral-segment-cabinet, bus: cabinet, unit: 2 }",
  "  - { id: meter-1, profile: eastron-sdm630, bus: cabinet, unit: 3 }",
  "",
].join("\n");

t.test("orders rest on what is told first; then comes what is polled more urgently", async (t) => {
  const site = numberSite(
    await loadSite(join(t.testdir({ "site.yaml": SITE }), "site.yaml")),
    (ids) => new Map(ids.map((id, at) => [id, PointNumber(at + 1)])),
  );
  const order = tellingOrderOf(site, makeFieldPlans(site));
  const points = site.devices.flatMap(({ points }) => points);
  const numberOf = (id: string) =>
    points.find((point) => point.id === id)?.number ?? t.fail(`no point ${id}`);
  const rank = (id: string) => order.rank(PointNumber(Number(numberOf(id))));
  for (const id of [
    "lamp-1/dim-level",
    "lamp-1/actual-level",
    "cabinet-1/feeder-1-contactor-demand",
    "cabinet-1/feeder-1-contactor-feedback",
    "cabinet-1/selector-local",
    "cabinet-1/feeder-8-breaker-tripped",
  ]) {
    t.equal(rank(id), 0, id);
    t.ok(order.control.includes(PointNumber(Number(numberOf(id)))), `${id} is awaited`);
  }
  const later = ["cabinet-1/door-open", "lamp-1/lamp-failure", "meter-1/power", "lamp-1/dimming-curve"];
  t.same(
    later.toSorted((one, other) => rank(one) - rank(other)),
    later,
  );
  t.ok(rank("cabinet-1/door-open") > 0);
  const writeOnly = points.filter(({ definition }) => definition.access === "write");
  t.ok(writeOnly.length > 0);
  t.notOk(
    writeOnly.some(({ number }) => order.control.includes(number)),
    "nothing that is never read is awaited",
  );
  t.ok(
    order.rank(PointNumber(99_999)) > rank("lamp-1/dimming-curve"),
    "what the site no longer has comes last",
  );
});
