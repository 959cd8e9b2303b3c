import t from "tap";
import { planCity } from "../../city/city-plan.ts";
import { shareOutSimulators } from "../../city/simulator-shares.ts";
import { cabinetsOf } from "../../simulators/city/cabinet-config.ts";
import { equipmentDevices } from "../../simulators/city/equipment-config.ts";

function shared(equipment: "all" | "none", programs: number) {
  const plan = planCity("all", equipment);
  const devices = equipmentDevices(plan.equipment, { doorKey: () => undefined, pkiFolder: undefined });
  const everything = { cabinets: cabinetsOf(plan), devices };
  return { everything, shares: shareOutSimulators(everything, programs) };
}

t.test("each cabinet and each device is in one program, and none has most of the work", async (t) => {
  for (const programs of [1, 2, 3]) {
    const { everything, shares } = shared("all", programs);
    t.equal(shares.length, programs);
    const ids = shares.flatMap(({ cabinets, devices }) => [...cabinets, ...devices].map(({ id }) => id));
    const all = [...everything.cabinets, ...everything.devices].map(({ id }) => id);
    t.same(ids.toSorted(), all.toSorted());
  }
  const { shares } = shared("all", 2);
  const kinds = shares.map(({ devices }) => new Set(devices.map(({ kind }) => kind)));
  const heavy = ["traffic-controllers", "firmata-board"];
  t.notOk(
    kinds.some((there) => heavy.every((kind) => there.has(kind))),
    "the OPC UA server and the emulated board are in two programs",
  );
});

t.test("cabinets alone are halved, in every municipality", async (t) => {
  const { shares } = shared("none", 2);
  t.same(
    shares.map(({ cabinets }) => cabinets.length),
    [363, 362],
  );
  const inDijon = shares.map(({ cabinets }) => cabinets.filter(({ id }) => id.startsWith("dijon-")).length);
  t.ok(Math.abs((inDijon[0] ?? 0) - (inDijon[1] ?? 0)) <= 1, String(inDijon));
});
