import { DeviceFault } from "../../domain/errors.ts";
import type { PointNumber } from "../../domain/ids.ts";
import type { Exchange, Sample, UnitSession } from "../../drivers/driver.ts";
import type { SessionKeeper } from "./unit/session-keeper.ts";

/** One exchange on the open line, with all that its end means for the unit. */
export type RunExchange = (
  keeper: SessionKeeper,
  session: UnitSession,
  work: { readonly exchange: Exchange; readonly slots: readonly number[] },
) => Promise<readonly Sample[] | DeviceFault>;

/** Reads on somebody's behalf: an operation's, or a person's. */
export class FreshReads {
  readonly #exchange: RunExchange;

  constructor(exchange: RunExchange) {
    this.#exchange = exchange;
  }

  /** One sample a point, in the fewest exchanges. */
  async read(
    keeper: SessionKeeper,
    points: readonly PointNumber[],
  ): Promise<ReadonlyMap<PointNumber, Sample>> {
    const found = new Map<PointNumber, Sample>();
    const slots = points.flatMap((point) => keeper.points.findSlot(point) ?? []);
    await this.#readSlots(keeper, slots, found);
    return found;
  }

  /** Halves what is refused as unknown, so that one missing point hides no other; stops at the first silence. */
  async #readSlots(
    keeper: SessionKeeper,
    slots: Iterable<number>,
    found: Map<PointNumber, Sample>,
  ): Promise<DeviceFault | undefined> {
    const session = keeper.session;
    if (session === undefined) {
      const fault = new DeviceFault("connection-lost", `read of unit ${keeper.unitAddress}`);
      this.#note(keeper, [...slots], fault, found);
      return fault;
    }
    let silence: DeviceFault | undefined;
    for (const exchange of keeper.planOnce(slots)) {
      const own = keeper.points.slotsOf(exchange.points);
      if (silence === undefined)
        silence = await this.#readExchange(keeper, session, { exchange, slots: own }, found);
      else this.#note(keeper, own, silence, found);
    }
    return silence;
  }

  /** The fault if the unit was silent: then there is no point in asking on. */
  async #readExchange(
    keeper: SessionKeeper,
    session: UnitSession,
    work: { readonly exchange: Exchange; readonly slots: readonly number[] },
    found: Map<PointNumber, Sample>,
  ): Promise<DeviceFault | undefined> {
    const { slots } = work;
    const answer = await this.#exchange(keeper, session, work);
    if (!(answer instanceof DeviceFault)) {
      for (const [index, slot] of slots.entries()) {
        found.set(keeper.points.getPoint(slot).number, answer[index] ?? LOST);
      }
      return undefined;
    }
    if (answer.code === "unknown-address" && slots.length > 1) {
      const middle = slots.length >> 1;
      const silence = await this.#readSlots(keeper, slots.slice(0, middle), found);
      if (silence === undefined) return await this.#readSlots(keeper, slots.slice(middle), found);
      this.#note(keeper, slots.slice(middle), silence, found);
      return silence;
    }
    this.#note(keeper, slots, answer, found);
    return answer.code === "unknown-address" || answer.code === "refused-by-device" ? undefined : answer;
  }

  #note(
    keeper: SessionKeeper,
    slots: readonly number[],
    fault: DeviceFault,
    found: Map<PointNumber, Sample>,
  ): void {
    for (const slot of slots) found.set(keeper.points.getPoint(slot).number, { fault });
  }
}

/** A driver that returned fewer samples than points did not answer for the rest. */
const LOST: Sample = { fault: new DeviceFault("malformed-reply", "take fewer samples than points") };
