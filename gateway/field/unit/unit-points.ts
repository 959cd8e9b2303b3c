import type { PointNumber } from "../../../domain/ids.ts";
import type { PointDefinition } from "../../../domain/point.ts";
import type { FieldPoint } from "../field-plan.ts";

/** Whether a point is read by polling: it can be read at all, and is a value. */
export function isPolled(definition: Pick<PointDefinition, "access" | "type">): boolean {
  return definition.access !== "write" && definition.type !== "action";
}

/** Whether sweeps tell its age: what happened is as old as it is, however well the unit answers since. */
export function isConfirmed(definition: Pick<PointDefinition, "access" | "type" | "event">): boolean {
  return isPolled(definition) && definition.event !== true;
}

/** The points behind one unit address by slot: their place in the unit's list, used wherever speed counts. */
export class UnitPoints {
  readonly points: readonly FieldPoint[];
  readonly #slotOfDefinition = new Map<PointDefinition, number>();

  constructor(points: readonly FieldPoint[]) {
    // A driver hands definitions back, so where two points of the unit share one, the later gets a copy of its own.
    this.points = points.map((point, slot) => {
      const isShared = this.#slotOfDefinition.has(point.definition);
      const own = isShared ? { ...point, definition: { ...point.definition } } : point;
      this.#slotOfDefinition.set(own.definition, slot);
      return own;
    });
  }

  /** Looked for one by one: only operations and fresh reads ask, and a table a unit costs more than it saves. */
  findSlot(number: PointNumber): number | undefined {
    const slot = this.points.findIndex((point) => point.number === number);
    return slot < 0 ? undefined : slot;
  }

  /** @throws {RangeError} for a slot that is none of this unit's: a bug. */
  getPoint(slot: number): FieldPoint {
    const point = this.points[slot];
    if (point === undefined) throw new RangeError(`the unit has no point in slot ${slot}`);
    return point;
  }

  definitionsOf(slots: Iterable<number>): readonly PointDefinition[] {
    return Array.from(slots, (slot) => this.getPoint(slot).definition);
  }

  /** @throws {RangeError} when a driver's plan holds a definition that it was not given: a bug of the driver. */
  slotsOf(definitions: readonly PointDefinition[]): readonly number[] {
    return definitions.map((definition) => {
      const slot = this.#slotOfDefinition.get(definition);
      if (slot === undefined)
        throw new RangeError(`the driver planned ${definition.name}, which it was not given`);
      return slot;
    });
  }
}
