import type { PointDefinition } from "../../domain/point.ts";
import type { HoleMap } from "../driver.ts";
import type { ReadGaps } from "./bus-config.ts";
import { footprintOf, type ModbusAddress } from "./modbus-address.ts";

/** Places of one table that one request reads, and the points in them. */
export interface ReadBlock {
  readonly table: ModbusAddress["table"];
  readonly first: number;
  readonly count: number;
  /** By their first place; equal ones as they were given. */
  readonly points: readonly PointDefinition<ModbusAddress>[];
}

export interface PlanLimits extends ReadGaps {
  /** 1 … 125: what the unit takes in one read. A value that needs more goes alone, whole. */
  readonly registersPerRead: number;
}

/** Modbus V1.1b3 §6.3, §6.4. */
export const REGISTERS_PER_READ_MAX = 125;
/** Modbus V1.1b3 §6.1, §6.2. */
const BITS_PER_READ_MAX = 2_000;

interface OpenBlock {
  readonly table: ModbusAddress["table"];
  readonly first: number;
  end: number;
  readonly points: PointDefinition<ModbusAddress>[];
}

/**
 * The fewest requests that read every point once. A block grows, in order of places, as long as it keeps the limit,
 * crosses no hole and no wider gap; no other cut at the same places can need fewer (property-tested).
 * A point that lies in a hole itself is read by itself, so that it spoils no other.
 */
export function planReads(
  points: readonly PointDefinition<ModbusAddress>[],
  limits: PlanLimits,
  holes: HoleMap,
): readonly ReadBlock[] {
  const blocks: ReadBlock[] = [];
  for (const table of ["coil", "discrete", "holding", "input"] as const) {
    const inTable = points.filter(({ address }) => address.table === table);
    // Stable, so that a plan is the same for the same points.
    inTable.sort((one, other) => one.address.register - other.address.register);
    const sound = inTable.filter((point) => !isInHole(point, holes));
    const spoilt = inTable.filter((point) => isInHole(point, holes));
    for (const open of [...growBlocks(sound, limits, holes), ...loneBlocks(spoilt)]) {
      blocks.push({ table, first: open.first, count: open.end - open.first, points: open.points });
    }
  }
  return blocks;
}

function growBlocks(
  points: readonly PointDefinition<ModbusAddress>[],
  limits: PlanLimits,
  holes: HoleMap,
): readonly OpenBlock[] {
  const blocks: OpenBlock[] = [];
  let open: OpenBlock | undefined;
  for (const point of points) {
    const { first, count } = footprintOf(point.address);
    if (open !== undefined && mayJoin(open, { first, count }, limits, holes)) {
      open.points.push(point);
      open.end = Math.max(open.end, first + count);
      continue;
    }
    open = newBlock(point);
    blocks.push(open);
  }
  return blocks;
}

function mayJoin(
  open: OpenBlock,
  places: { readonly first: number; readonly count: number },
  limits: PlanLimits,
  holes: HoleMap,
): boolean {
  const isBits = open.table === "coil" || open.table === "discrete";
  const max = isBits ? BITS_PER_READ_MAX : limits.registersPerRead;
  const end = Math.max(open.end, places.first + places.count);
  // Inside what is read anyway: also where one long value goes beyond the unit's limit.
  if (end === open.end) return true;
  const gap = places.first - open.end;
  if (end - open.first > max || gap > (isBits ? limits.gapBits : limits.gapRegisters)) return false;
  return gap <= 0 || !holes.has(open.table, open.end, gap);
}

function loneBlocks(points: readonly PointDefinition<ModbusAddress>[]): readonly OpenBlock[] {
  const blocks = new Map<string, OpenBlock>();
  for (const point of points) {
    const { first, count } = footprintOf(point.address);
    const key = `${first}+${count}`;
    const known = blocks.get(key);
    if (known === undefined) blocks.set(key, newBlock(point));
    else known.points.push(point);
  }
  return [...blocks.values()];
}

function newBlock(point: PointDefinition<ModbusAddress>): OpenBlock {
  const { first, count } = footprintOf(point.address);
  return { table: point.address.table, first, end: first + count, points: [point] };
}

function isInHole(point: PointDefinition<ModbusAddress>, holes: HoleMap): boolean {
  const { space, first, count } = footprintOf(point.address);
  return holes.has(space, first, count);
}
