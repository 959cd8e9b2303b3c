import type { FaultCode } from "../../../domain/errors.ts";
import type { Uptime } from "../../../domain/time.ts";
import type { UnitSession } from "../../../drivers/driver.ts";
import type { SubscriptionFigures } from "../field-plan.ts";
import { isPolled, type UnitPoints } from "./unit-points.ts";
import { type SubscriptionListener, UnitSubscription } from "./unit-subscription.ts";

/** The points that a unit tells by itself, and how its subscription stands. */
export class ToldPoints {
  readonly #points: UnitPoints;
  #slots: readonly number[] = [];
  readonly #events: readonly number[] = [];
  #own: ReadonlySet<number> = new Set();
  #subscription: UnitSubscription | undefined;
  #state: SubscriptionFigures["state"] = "starting";
  #confirmedAt = Number.NaN;

  constructor(points: UnitPoints) {
    this.#points = points;
    this.#events = [...points.points.keys()].filter(
      (slot) => points.getPoint(slot).definition.event === true,
    );
  }

  /** Subscribed, events among them. */
  get slots(): readonly number[] {
    return this.#slots;
  }

  get events(): readonly number[] {
    return this.#events;
  }

  /** Uptime in ms at which all were last confirmed; NaN while nobody can say. */
  get confirmedAt(): number {
    return this.#confirmedAt;
  }

  /** Whether the slot is never polled. */
  has(slot: number): boolean {
    return this.#own.has(slot);
  }

  opened(session: UnitSession): void {
    this.#slots = [...this.#points.points.keys()].filter((slot) => {
      const { definition } = this.#points.getPoint(slot);
      return isPolled(definition) && session.tellsByItself?.(definition) === true;
    });
    this.#own = new Set([...this.#slots, ...this.#events]);
    this.#renewed();
  }

  closed(): void {
    this.#subscription = undefined;
    this.#renewed();
  }

  subscribe(session: UnitSession, listener: SubscriptionListener): UnitSubscription | undefined {
    if (this.#slots.length === 0) return undefined;
    const definitions = this.#points.definitionsOf(this.#slots);
    this.#subscription = new UnitSubscription(session, definitions, listener);
    return this.#subscription;
  }

  /** Taken anew, so that all is told again. */
  renew(): void {
    this.#subscription?.renew();
    this.#renewed();
  }

  begin(): "begins" | "lives already" {
    if (this.#state === "live") return "lives already";
    this.#state = "live";
    return "begins";
  }

  confirm(at: Uptime): void {
    this.#confirmedAt = at;
  }

  ended(code: FaultCode): void {
    this.#state = code;
    this.#confirmedAt = Number.NaN;
  }

  figures(): SubscriptionFigures | null {
    return this.#slots.length === 0 ? null : { points: this.#slots.length, state: this.#state };
  }

  #renewed(): void {
    this.#state = "starting";
    this.#confirmedAt = Number.NaN;
  }
}
