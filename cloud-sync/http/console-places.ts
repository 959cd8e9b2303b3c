import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { Database } from "../store/database.ts";
import {
  type AlarmPointRow,
  listAlarmPoints,
  listPlaces,
  listProfilePoints,
  type PlaceRow,
} from "../store/views/console-places.ts";
import { choosePoints, type PointChoice } from "./console-point-choice.ts";

/** Every device as the map needs it. A place is a position in its columns, valid for one `tag`. */
export interface PlaceIndex {
  /** Changes with anything that the columns say. */
  readonly tag: string;
  /** The answer of `GET /api/v1/view/places`, as JSON and gzipped. */
  readonly json: string;
  readonly gzip: Buffer;
  readonly count: number;
  /** By `<gateway>/<device>`. */
  readonly placeOf: ReadonlyMap<string, number>;
  readonly classNames: readonly string[];
  readonly classOf: Uint8Array;
  /** Micro-degrees; `NOWHERE` where the site file gives no position. */
  readonly lon: Int32Array;
  readonly lat: Int32Array;
  /** The center's number of the level point; 0: none. */
  readonly levelNo: Int32Array;
  /** 1: the level point is a share of light, 0 … 100 %. Any other number says nothing at a glance. */
  readonly isLight: Uint8Array;
  /** Numbers of the alarm points of each place. */
  readonly alarmNos: readonly (readonly number[])[];
}

/** A longitude that is none: the least int32. */
export const NOWHERE = -2_147_483_648;
/** Classes that give light, or switch it. */
const LIT: readonly string[] = ["streetlight", "segment-cabinet"];
const NOTHING: readonly number[] = [];

/** Some 0.6 s for 36,000 devices: made anew only when a catalogue changed. */
export async function buildPlaces(database: Database): Promise<PlaceIndex> {
  const choices = await chooseByProfile(database);
  const profiles = [...choices.keys()];
  const chosen = [...choices.values()];
  const rows = await listPlaces(database, {
    profiles,
    levels: chosen.map(({ level }) => level),
    commands: chosen.map(({ command }) => command),
  });
  const alarmNames = [...new Set(chosen.flatMap(({ alarms }) => alarms))];
  const alarms = alarmNames.length === 0 ? [] : await listAlarmPoints(database, alarmNames);
  return indexOf(rows, alarms);
}

async function chooseByProfile(database: Database): Promise<ReadonlyMap<string, PointChoice>> {
  const points = await listProfilePoints(database);
  const byProfile = Map.groupBy(points, ({ profile }) => profile);
  return new Map([...byProfile].map(([profile, of]) => [profile, choosePoints(of)]));
}

function indexOf(rows: readonly PlaceRow[], alarms: readonly AlarmPointRow[]): PlaceIndex {
  const placeOf = new Map(rows.map((row, place) => [`${row.gateway_id}/${row.device_id}`, place]));
  const alarmNos: (readonly number[])[] = rows.map(() => NOTHING);
  for (const [key, points] of Map.groupBy(alarms, (row) => `${row.gateway_id}/${row.device_id}`)) {
    const place = placeOf.get(key);
    if (place !== undefined) alarmNos[place] = points.map(({ point_no }) => point_no);
  }
  const columns = columnsOf(rows, placeOf);
  const tag = createHash("sha256").update(JSON.stringify(columns)).digest("hex").slice(0, 16);
  const json = JSON.stringify({ tag, ...columns });
  return {
    tag,
    json,
    gzip: gzipSync(json, { level: 5 }),
    count: rows.length,
    placeOf,
    classNames: columns.classes,
    classOf: Uint8Array.from(columns.class),
    lon: Int32Array.from(columns.lon, (each) => each ?? NOWHERE),
    lat: Int32Array.from(columns.lat, (each) => each ?? NOWHERE),
    levelNo: Int32Array.from(rows, (row) => row.level_no ?? 0),
    isLight: Uint8Array.from(rows, (row) => Number(row.level_unit === "%" && LIT.includes(row.class))),
    alarmNos,
  };
}

/** What repeats is told once and pointed at. */
function columnsOf(rows: readonly PlaceRow[], placeOf: ReadonlyMap<string, number>) {
  const classes = distinct(rows.map((row) => row.class));
  const gateways = distinct(rows.map((row) => row.gateway_id));
  const points = distinct(rows.flatMap((row) => [row.level_name, row.command_name]));
  const at = (names: ReadonlyMap<string, number>, name: string | null): number =>
    name === null ? -1 : (names.get(name) ?? -1);
  return {
    classes: [...classes.keys()],
    gateways: [...gateways.keys()],
    points: [...points.keys()],
    id: rows.map((row) => row.device_id),
    name: rows.map((row) => (row.name === row.device_id ? "" : row.name)),
    class: rows.map((row) => at(classes, row.class)),
    gateway: rows.map((row) => at(gateways, row.gateway_id)),
    lon: rows.map((row) => microDegrees(row.longitude)),
    lat: rows.map((row) => microDegrees(row.latitude)),
    parent: rows.map((row) => placeOf.get(`${row.gateway_id}/${row.parent}`) ?? -1),
    members: rows.map((row) => row.member_count),
    level: rows.map((row) => at(points, row.level_name)),
    command: rows.map((row) => at(points, row.command_name)),
    /** 0 none, 1 K1, 2 K2, 3 K3. */
    commandClass: rows.map((row) => (row.command_class === null ? 0 : Number(row.command_class.slice(1)))),
    maxAgeMs: rows.map((row) => row.max_age_ms ?? 0),
    sweep: rows.map((row) => row.sweep ?? 0),
  };
}

function distinct(names: readonly (string | null)[]): ReadonlyMap<string, number> {
  const known = new Set(names.filter((name) => name !== null));
  return new Map([...known].sort().map((name, index) => [name, index]));
}

function microDegrees(degrees: number | null): number | null {
  return degrees === null ? null : Math.round(degrees * 1e6);
}
