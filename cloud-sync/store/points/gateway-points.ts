import type { PointId } from "../../../domain/ids.ts";
import { QUALITIES } from "../../../domain/quality.ts";
import type { Instant } from "../../../domain/time.ts";
import { HEARTBEAT_LATE } from "../../../domain/wire/heartbeat.ts";

/** A point as ingest must know it. */
export interface KnownPoint {
  readonly pointNo: number;
  readonly pointId: PointId;
  /** Null: retired before the center ever knew it. */
  readonly type: "number" | "boolean" | "text" | "action" | null;
}

/** What points of one name have in common; as many as the gateway's profiles have points. */
export interface PointKind {
  readonly name: string;
  readonly type: KnownPoint["type"];
  /** Null: retired before the center ever knew it. */
  readonly pollClass: string | null;
  readonly maxAgeMs: number | null;
  /** Names of the points that an order to this one rests on, its own among them; empty: it can not be commanded. */
  readonly control: readonly string[];
}

export interface PointOwner {
  readonly deviceId: string;
  readonly class: string;
  readonly profileId: string;
}

/** One column a field, points in ascending order of their numbers at the gateway. */
export interface PointColumns {
  readonly numbers: Float64Array;
  readonly pointNos: Int32Array;
  /** Index into the owners. */
  readonly owners: Int32Array;
  /** Index into the kinds. */
  readonly kinds: Int32Array;
  /** 0: not polled, or retired. */
  readonly sweeps: Float64Array;
  /** Code of `QUALITIES`; -1: never told. */
  readonly qualities: Int16Array;
  /** Ms since 1970 by the center's clock; NaN: not known. */
  readonly correctedAt: Float64Array;
}

/** Polled points of one sweep, profile and greatest age, counted; those of the control state for themselves. */
export interface PointCounts {
  readonly class: string;
  readonly profileId: string;
  readonly pollClass: string;
  /** Orders rest on them: they can be commanded, prove an order, or an interlock asks them. */
  readonly isControl: boolean;
  readonly sweep: number;
  readonly maxAgeMs: number;
  points: number;
  told: number;
  /** Told as good, however long ago. */
  good: number;
  /** Of these, told so lately that they need no sweep to confirm them. */
  goodYoung: number;
}

const GOOD = QUALITIES.indexOf("good/local-override");

/**
 * A gateway's points and how well each was told, in columns: 40 bytes a point, where objects with their ids took 200.
 */
export class GatewayPoints {
  readonly #kinds: readonly PointKind[];
  readonly #owners: readonly PointOwner[];
  readonly #columns: PointColumns;
  readonly #groups: readonly PointCounts[];
  /** Of each point, its group; -1: not polled. */
  readonly #groupOf: Int32Array;

  constructor(kinds: readonly PointKind[], owners: readonly PointOwner[], columns: PointColumns) {
    this.#kinds = kinds;
    this.#owners = owners;
    this.#columns = columns;
    const { groups, groupOf } = groupPoints(kinds, owners, columns);
    this.#groups = groups;
    this.#groupOf = groupOf;
  }

  /** By the gateway's number of the point. */
  find(number: number): KnownPoint | undefined {
    const at = this.#placeOf(number);
    const kind = this.#kinds[this.#columns.kinds[at] ?? -1];
    const owner = this.#owners[this.#columns.owners[at] ?? -1];
    if (kind === undefined || owner === undefined) return undefined;
    const pointId = `${owner.deviceId}/${kind.name}` as PointId;
    return { pointNo: this.#columns.pointNos[at] ?? 0, pointId, type: kind.type };
  }

  /** The current state of the point moved; to be called in the order of the commits. */
  move(number: number, quality: number, correctedAt: Instant | null): void {
    const at = this.#placeOf(number);
    if (at < 0) return;
    this.#columns.qualities[at] = quality;
    this.#columns.correctedAt[at] = correctedAt ?? Number.NaN;
  }

  count(now: Instant): readonly PointCounts[] {
    const counts = this.#groups.map((group) => ({ ...group }));
    const { qualities, correctedAt } = this.#columns;
    for (let at = 0; at < this.#groupOf.length; at += 1) {
      const of = counts[this.#groupOf[at] ?? -1];
      const quality = qualities[at] ?? -1;
      if (of === undefined || quality < 0) continue;
      of.told += 1;
      if (quality > GOOD) continue;
      of.good += 1;
      if ((correctedAt[at] ?? Number.NaN) >= now - of.maxAgeMs - HEARTBEAT_LATE) of.goodYoung += 1;
    }
    return counts;
  }

  /** Binary search; -1: no such point. */
  #placeOf(number: number): number {
    const { numbers } = this.#columns;
    let low = 0;
    let high = numbers.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = numbers[middle] ?? 0;
      if (found === number) return middle;
      if (found < number) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}

function groupPoints(
  kinds: readonly PointKind[],
  owners: readonly PointOwner[],
  columns: PointColumns,
): { readonly groups: readonly PointCounts[]; readonly groupOf: Int32Array } {
  const groups: PointCounts[] = [];
  const known = new Map<string, number>();
  const groupOf = new Int32Array(columns.sweeps.length).fill(-1);
  const control = controlNames(kinds, owners, columns);
  for (let at = 0; at < groupOf.length; at += 1) {
    const kind = kinds[columns.kinds[at] ?? -1];
    const owner = owners[columns.owners[at] ?? -1];
    if (kind === undefined || owner === undefined) continue;
    const isControl = control.get(owner.profileId)?.has(kind.name) === true;
    const made = newGroup(columns.sweeps[at] ?? 0, kind, { ...owner, isControl });
    if (made === undefined) continue;
    const key = `${made.sweep} ${made.pollClass} ${made.maxAgeMs} ${made.class} ${made.profileId} ${isControl}`;
    const place = known.get(key) ?? groups.push(made) - 1;
    known.set(key, place);
    groupOf[at] = place;
    const group = groups[place];
    if (group !== undefined) group.points += 1;
  }
  return { groups, groupOf };
}

/** Undefined: a point that is not polled belongs to none. */
function newGroup(
  sweep: number,
  kind: PointKind,
  owner: PointOwner & { readonly isControl: boolean },
): PointCounts | undefined {
  const { pollClass, maxAgeMs } = kind;
  if (sweep === 0 || pollClass === null || maxAgeMs === null) return undefined;
  const { class: of, profileId, isControl } = owner;
  const counts = { points: 0, told: 0, good: 0, goodYoung: 0 };
  return { class: of, profileId, pollClass, isControl, sweep, maxAgeMs, ...counts };
}

/** By profile: what its points that can be commanded rest on. */
function controlNames(
  kinds: readonly PointKind[],
  owners: readonly PointOwner[],
  columns: PointColumns,
): ReadonlyMap<string, ReadonlySet<string>> {
  const names = new Map<string, Set<string>>();
  for (let at = 0; at < columns.kinds.length; at += 1) {
    const control = kinds[columns.kinds[at] ?? -1]?.control ?? [];
    const profileId = owners[columns.owners[at] ?? -1]?.profileId;
    if (profileId === undefined || control.length === 0) continue;
    const known = names.get(profileId) ?? new Set();
    names.set(profileId, known);
    for (const name of control) known.add(name);
  }
  return names;
}
