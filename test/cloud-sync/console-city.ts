import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { type Contour, type ContourFile, readContours } from "../../cloud-sync/console/city/contours.ts";
import { openCenterStore } from "../../cloud-sync/store/center-store.ts";
import type { Database } from "../../cloud-sync/store/database.ts";
import { seededRandom } from "../../domain/random.ts";
import { systemClock } from "../../domain/system-clock.ts";
import { MIGRATED } from "./center-for-tests.ts";
import type { DatabaseTemplate } from "./postgres-for-tests.ts";

const LAMPS_OF_CABINET = 47;
const LAMPS_OF_DIJON = 0.55;
/** Degrees a metre, at 47.32° north. */
const METRE = { lat: 1 / 111_195, lon: 1 / 75_370 } as const;
const ORIGIN = { lat: 47.32, lon: 5.04 } as const;
/** Metres between lamps of one street. */
const SPACING = 34;

const FILE = join(import.meta.dirname, "../../cloud-sync/console/assets/communes.geojson");
export const CONTOURS: readonly Contour[] = readContours(
  JSON.parse(readFileSync(FILE, "utf8")) as ContourFile,
);

export const slugOf = (name: string): string =>
  name
    .normalize("NFD")
    .replace(/\p{Mn}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-");

/** A city behind 23 gateways, 47 lamps a cabinet, with states; made once a server. */
const cityOf = (lamps: number): DatabaseTemplate => ({
  key: `${MIGRATED.key} console city 11 of ${lamps}`,
  async prepare(connectionString) {
    const logger = pino({ level: "silent" });
    await using database = await openCenterStore({ connectionString, logger, clock: systemClock });
    await makeCity(database, lamps);
  },
});
export const CITY = cityOf(34_000);
export const SMALL_CITY = cityOf(2_350);

interface Placed {
  readonly gateway: number;
  readonly id: string;
  readonly name: string;
  readonly lat: number;
  readonly lon: number;
  readonly parent: string | null;
  readonly kind: "lamp" | "cabinet" | "group";
  readonly members: readonly string[];
}

async function makeCity(database: Database, lamps: number): Promise<void> {
  const run = (name: string, text: string, values: readonly unknown[] = []) =>
    database.query({ name: `city-${name}`, text }, values);
  await run(
    "gateways",
    `insert into gateways (gateway_id, name, registered_at, enrolled_at, software)
     select 'gw-' || id, name, now(), now(), '0.1.0' from unnest($1::text[], $2::text[]) as g(id, name)`,
    [CONTOURS.map(({ name }) => slugOf(name)), CONTOURS.map(({ name }) => name)],
  );
  await run(
    "links",
    `insert into gateway_links (gateway_no, state, changed_at, last_heard_at, gateway_now, time_quality, heads, backlog)
     select gateway_no, 'up', now() - interval '3 hours', now(), now(), 'synced',
       '{"A":120,"B":4000,"C":90000,"D":80}', '{"A":0,"B":0,"C":12,"D":0}' from gateways`,
  );
  const placed = CONTOURS.flatMap((contour, index) => streetsOf(contour, index, lamps));
  await run(
    "devices",
    `insert into devices (gateway_no, device_id, name, class, service, profile_id, profile_hash, latitude, longitude, parent, members)
     select gateway, id, name, case kind when 'cabinet' then 'segment-cabinet' else 'streetlight' end, 'lighting',
       kind, '00', lat, lon, parent, members::jsonb
     from unnest($1::int[], $2::text[], $3::text[], $4::float8[], $5::float8[], $6::text[], $7::text[], $8::text[])
       as d(gateway, id, name, lat, lon, parent, kind, members)`,
    [
      placed.map((each) => each.gateway + 1),
      placed.map((each) => each.id),
      placed.map((each) => each.name),
      placed.map((each) => (each.kind === "group" ? null : each.lat)),
      placed.map((each) => (each.kind === "group" ? null : each.lon)),
      placed.map((each) => each.parent),
      placed.map((each) => each.kind),
      placed.map((each) => JSON.stringify(each.members)),
    ],
  );
  for (const [name, text] of Object.entries(POINTS_AND_STATES)) await run(name, text);
}

const PROFILE_POINTS = `(values
      ('lamp', 'dim-level', 'number', '%', 'read-write', 0, 100, 'K1', 90000, 'actual-level'),
      ('lamp', 'actual-level', 'number', '%', 'read', 0, 100, null, 90000, null),
      ('lamp', 'lamp-failure', 'boolean', '1', 'read', null, null, null, 90000, null),
      ('lamp', 'active-power', 'number', 'W', 'read', 0, 200, null, 90000, null),
      ('group', 'level', 'number', '%', 'write', 0, 100, 'K1', 0, 'actual-level'),
      ('cabinet', 'feeder-1-contactor-demand', 'boolean', '1', 'read-write', null, null, 'K3', 30000, 'feeder-1-contactor-feedback'),
      ('cabinet', 'feeder-1-contactor-feedback', 'boolean', '1', 'read', null, null, null, 30000, null),
      ('cabinet', 'door-open', 'boolean', '1', 'read', null, null, null, 30000, null),
      ('cabinet', 'rcd-tripped', 'boolean', '1', 'read', null, null, null, 30000, null),
      ('cabinet', 'temperature', 'number', 'Cel', 'read', -40, 90, null, 120000, null)
    ) as p(profile, name, type, unit, access, low, high, class, age, proof)`;

const POINTS_AND_STATES = {
  kinds: `insert into point_kinds (name, type, unit, access, range_min, range_max, command_class, poll_class, max_age_ms, read_back)
    select distinct name, type, unit, access, low, high, class, 'lamp', age, proof from ${PROFILE_POINTS}`,
  points: `insert into device_points (gateway_no, device_no, name, kind_no, number, sweep)
    select d.gateway_no, d.device_no, p.name, k.kind_no, row_number() over (partition by d.gateway_no), 1
    from devices d join ${PROFILE_POINTS} on p.profile = d.profile_id
      join point_kinds k on k.name = p.name and k.read_back is not distinct from p.proof and k.max_age_ms = p.age`,
  // Two thirds of a street are at one level; some lamps fail, some are silent, some are old.
  states: `insert into point_states (point_no, gateway_no, lineage_order, state_version, gateway_at, corrected_at, value_kind,
      value_number, quality, cause, received_at)
    select point_no, gateway_no, 1, 1, at, at, kind, case when quality = 4 then null else value end, quality, case when quality = 4 then 1 else 0 end, at
    from (select point_no, gateway_no, now() - make_interval(secs => abs(hashtext(point_id)) % 600) as at,
        case when type = 'boolean' then 2 else 1 end as kind,
        case when abs(hashtext(device_id || 'silent')) % 900 = 0 and name in ('actual-level', 'active-power') then 4 else 0 end as quality,
        case name
          when 'dim-level' then level when 'actual-level' then level when 'active-power' then round((level * 0.86)::numeric, 1)
          when 'temperature' then 14 + abs(hashtext(device_id)) % 9
          when 'lamp-failure' then (abs(hashtext(device_id || 'fail')) % 450 = 0)::int
          when 'rcd-tripped' then (abs(hashtext(device_id || 'trip')) % 240 = 0)::int
          when 'door-open' then 0 else 1 end::float8 as value
      from (select p.*, case when abs(hashtext(coalesce(d.parent, ''))) % 11 = 0 then 0
          else 30 + 10 * (abs(hashtext(coalesce(d.parent, ''))) % 8) end as level
        from points p join devices d on d.gateway_no = p.gateway_no and d.device_id = p.device_id where p.access <> 'write') l) v`,
  incarnations: `insert into incarnations (gateway_no, incarnation, parent_last, lineage_order, first_seen_at)
    select gateway_no, lpad(gateway_no::text, 32, '0'), '{}', 1, now() from gateways`,
  cursors: `insert into cursors (gateway_no, incarnation_no, lane, ranges)
    select gateway_no, incarnation_no, lane, int8multirange(int8range(1, till + 1))
    from incarnations, (values ('A'::"char", 120), ('B'::"char", 4000), ('C'::"char", 89988), ('D'::"char", 80)) as l(lane, till)`,
  analyze: "analyze",
};

/** Cabinets at random within the contour, and from each a few straight streets of lamps. */
function streetsOf(contour: Contour, gateway: number, ofCity: number): readonly Placed[] {
  const random = seededRandom(gateway + 1);
  const share = contour.name === "Dijon" ? LAMPS_OF_DIJON : (1 - LAMPS_OF_DIJON) / (CONTOURS.length - 1);
  const lamps = Math.round(ofCity * share);
  const cabinets = Math.max(1, Math.round(lamps / LAMPS_OF_CABINET));
  const slug = slugOf(contour.name);
  const [west, north, east, south] = contour.box;
  const made: Placed[] = [];
  for (let cabinet = 0; cabinet < cabinets; cabinet += 1) {
    const near = (low: number, high: number): number => low + (high - low) * (0.12 + 0.76 * random.next());
    let at = { x: near(west, east), y: near(north, south) };
    for (let tries = 0; tries < 50 && !isWithin(contour, at); tries += 1)
      at = { x: near(west, east), y: near(north, south) };
    const id = `${slug}-cab-${String(cabinet + 1).padStart(3, "0")}`;
    const of = Math.floor(((cabinet + 1) * lamps) / cabinets) - Math.floor((cabinet * lamps) / cabinets);
    const position = (x: number, y: number) => ({
      lat: ORIGIN.lat - y * METRE.lat,
      lon: ORIGIN.lon + x * METRE.lon,
    });
    const turn = random.next() * Math.PI;
    const bend = (random.next() - 0.5) * 0.12;
    const street: Placed[] = Array.from({ length: of }, (_, lamp) => {
      // Four streets meet at the cabinet, each with a bend of its own.
      const [arm, along] = [lamp % 4, Math.floor(lamp / 4) + 0.6];
      const angle = turn + (arm * Math.PI) / 2 + bend * along * (arm % 2 === 0 ? 1 : -1);
      let reach = along * SPACING;
      const there = () => ({ x: at.x + reach * Math.cos(angle), y: at.y + reach * Math.sin(angle) });
      // A street ends at its municipality's border.
      while (!isWithin(contour, there()) && reach > 1) reach *= 0.8;
      const { x, y } = there();
      const lampId = `${id.replace("-cab-", "-")}-${String(lamp + 1).padStart(2, "0")}`;
      return { gateway, id: lampId, name: lampId, ...position(x, y), parent: id, kind: "lamp", members: [] };
    });
    const members = street.slice(0, 40).map((each) => each.id);
    const common = { gateway, ...position(at.x, at.y), parent: null };
    made.push({
      ...common,
      id,
      name: `Armoire ${contour.name} ${cabinet + 1}`,
      kind: "cabinet",
      members: [],
    });
    made.push({
      ...common,
      id: `${id}-group-1`,
      name: `${contour.name} ${cabinet + 1}`,
      kind: "group",
      parent: id,
      members,
    });
    made.push(...street);
  }
  return made;
}

function isWithin({ rings }: Contour, { x, y }: { readonly x: number; readonly y: number }): boolean {
  const ring = rings[0] ?? new Float32Array();
  let odd = false;
  for (let at = 0, before = ring.length - 2; at < ring.length; before = at, at += 2) {
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = [ring[at], ring[at + 1], ring[before], ring[before + 1]];
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) odd = !odd;
  }
  return odd;
}
