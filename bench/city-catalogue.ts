import type { Catalogue, CatalogueDevice, CataloguePoint } from "../domain/wire/catalogue.ts";

const LAMPS_A_GROUP = 38;
const METER_POINTS = 10;
const CABINET_POINTS = 35;

const lampPoint = (name: string, type: "number" | "boolean"): CataloguePoint => ({
  ...pointOf(name, type, "lamp", 90_000),
});
const LAMP = [
  lampPoint("dim-level", "number"),
  lampPoint("actual-level", "number"),
  ...["gear-failure", "lamp-failure", "lamp-on", "limit-error"].map((name) => lampPoint(name, "boolean")),
];
const METER = Array.from({ length: METER_POINTS }, (_, index): CataloguePoint => {
  return pointOf(`register-${index}`, "number", "meter", 180_000);
});
const CABINET = Array.from({ length: CABINET_POINTS }, (_, index): CataloguePoint => {
  return pointOf(`input-${index}`, "boolean", "normal", 30_000);
});
const KINDS = [
  kindOf("segment-cabinet", CABINET),
  kindOf("meter", METER),
  kindOf("streetlight", LAMP),
  kindOf("streetlight", [lampPoint("level", "number")], "bench-group"),
];
const [CABINET_KIND, METER_KIND, LAMP_KIND, GROUP_KIND] = [0, 1, 2, 3] as const;

/** A gateway of the city's equipment, as the center is told of it: lamps behind their cabinet's bridge, six points each. */
export function cityCatalogue(siteId: string, cabinets: number, lampsEach: number): Catalogue {
  const devices: CatalogueDevice[] = [];
  let number = 0;
  const add = (
    id: string,
    kind: number,
    own: Pick<CatalogueDevice, "parent" | "members" | "sweeps">,
  ): void => {
    const numbers = (KINDS[kind]?.points ?? []).map(() => {
      number += 1;
      return number;
    });
    devices.push({ id, name: id, kind, position: { latitude: 47.32, longitude: 5.04 }, ...own, numbers });
  };
  for (let cabinet = 1; cabinet <= cabinets; cabinet += 1) {
    const id = `${siteId}-c${String(cabinet).padStart(4, "0")}`;
    const lamp = { parent: id, sweeps: { lamp: cabinet * 3 + 2 } };
    add(id, CABINET_KIND, { parent: null, members: [], sweeps: { normal: cabinet * 3 } });
    add(`${id}-meter`, METER_KIND, { parent: id, members: [], sweeps: { meter: cabinet * 3 + 1 } });
    const lamps = Array.from({ length: lampsEach }, (_, at) => `${id}-l${String(at + 1).padStart(2, "0")}`);
    for (const each of lamps) add(each, LAMP_KIND, { ...lamp, members: [] });
    for (let group = 0; group * LAMPS_A_GROUP < lamps.length; group += 1) {
      const members = lamps.slice(group * LAMPS_A_GROUP, (group + 1) * LAMPS_A_GROUP);
      add(`${id}-g${group}`, GROUP_KIND, { ...lamp, members });
    }
  }
  return { siteId, name: siteId, kinds: KINDS, devices, retired: [] };
}

function pointOf(
  name: string,
  type: "number" | "boolean",
  pollClass: CataloguePoint["pollClass"],
  maxAgeMs: number,
): CataloguePoint {
  const rest = { access: "read", range: null, commandClass: null, polled: true, readBack: null } as const;
  return { name, type, unit: "1", pollClass, maxAgeMs, ...rest };
}

function kindOf(deviceClass: string, points: CataloguePoint[], profileId = `bench-${deviceClass}`) {
  return { class: deviceClass, service: "lighting", profileId, profileHash: "0".repeat(64), points };
}
