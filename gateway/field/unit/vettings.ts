import type { Exchange } from "../../../drivers/driver.ts";
import { rankOf } from "../bus-scheduler.ts";
import type { DeviceProbe, WrongDevice } from "../field-plan.ts";
import { DeviceVetting } from "./device-vetting.ts";
import { makeTask, type PollTask } from "./poll-task.ts";
import type { UnitPoints } from "./unit-points.ts";

/** All devices of one unit whose profile says how to know them. */
export class Vettings {
  readonly #vettings: readonly DeviceVetting[];
  readonly #bySlot = new Map<number, DeviceVetting>();
  readonly #points: UnitPoints;
  readonly #unit: number;
  #tasks: readonly PollTask[] = [];
  /** Proven since the polls were last planned. */
  #released = 0;
  #rightBefore = new Set<DeviceVetting>();

  constructor(probes: readonly DeviceProbe[], points: UnitPoints, unit: number) {
    this.#points = points;
    this.#unit = unit;
    const slotOf = (number: DeviceProbe["points"][number]): number => {
      const slot = points.findSlot(number);
      if (slot === undefined) throw new RangeError(`a probe names point ${number}, which the unit has not`);
      return slot;
    };
    this.#vettings = probes.map((probe) => new DeviceVetting(probe, slotOf));
    for (const vetting of this.#vettings) for (const slot of vetting.slots) this.#bySlot.set(slot, vetting);
  }

  get isAnyHeld(): boolean {
    return this.#vettings.some(({ verdict }) => verdict !== "right");
  }

  /** Why nothing may be told of the slot, for people; `undefined`: its device is proven, or has no probe. */
  findDoubt(slot: number): string | undefined {
    const vetting = this.#bySlot.get(slot);
    if (vetting === undefined || vetting.verdict === "right") return undefined;
    const { device, verdict, why } = vetting;
    return verdict === "wrong"
      ? `${device} is not what its profile says: ${why}`
      : `whether ${device} is what its profile says is still being asked. Try again`;
  }

  doubtAll(): void {
    this.retireAll();
    for (const vetting of this.#vettings) vetting.doubt();
    this.#rightBefore.clear();
    this.#released = 0;
  }

  /** What is to be asked now of those that are not proven. */
  tasks(plan: (slots: readonly number[]) => readonly Exchange[], now: number): readonly PollTask[] {
    const added = this.#vettings
      .filter((vetting) => vetting.takeTurn(now) === "ask")
      .flatMap((vetting) =>
        plan(vetting.askedSlots).map((exchange) =>
          makeTask({
            unit: this.#unit,
            // Before all polls of the unit: none of them may be told until it is decided.
            rank: rankOf("safety-status"),
            intervalMs: 1_000,
            exchange,
            slots: this.#points.slotsOf(exchange.points),
            vetting,
            due: now,
            anchor: now,
          }),
        ),
      );
    this.#tasks = [...this.#tasks.filter(({ retired }) => !retired), ...added];
    return added;
  }

  retireAll(): void {
    for (const task of this.#tasks) task.retired = true;
    this.#tasks = [];
  }

  /** Whether devices were proven since, once no question is open any more: then the polls are planned anew. */
  takeReleased(): "some" | "none" {
    const right = this.#vettings.filter(({ verdict }) => verdict === "right");
    this.#released += right.filter((vetting) => !this.#rightBefore.has(vetting)).length;
    this.#rightBefore = new Set(right);
    const isOpen = this.#tasks.some((task) => !task.retired);
    if (isOpen || this.#released === 0) return "none";
    this.#released = 0;
    return "some";
  }

  markWrong(mark: (slots: readonly number[]) => void): void {
    for (const { verdict, slots } of this.#vettings) if (verdict === "wrong") mark(slots);
  }

  wrong(): readonly WrongDevice[] {
    return this.#vettings
      .filter(({ verdict }) => verdict === "wrong")
      .map(({ device, why }) => ({ deviceId: device, why }));
  }
}
