import { exponentialBackoff } from "../../../domain/backoff.ts";
import { DeviceFault, type FaultCode } from "../../../domain/errors.ts";
import type { PointDefinition } from "../../../domain/point.ts";
import { type Clock, Millis, Minutes, Seconds, since } from "../../../domain/time.ts";
import type { Sample, UnitSession } from "../../../drivers/driver.ts";

/** A subscription that was given up is taken anew after 1, 2, 4 … 60 s. */
const BACKOFF = { min: Seconds(1), max: Minutes(1) };
/** One that held this long was well: the next wait is the shortest again. */
const HELD = Minutes(1);

/** What is told of a unit's subscription; never after it ended. */
export interface SubscriptionListener {
  told(point: PointDefinition, sample: Sample): void;
  confirmed(): void;
  /** The unit gave it up: nothing is known of its points until it is taken anew. */
  ended(code: FaultCode): void;
}

/** Keeps the subscription of one opened unit up. */
export class UnitSubscription {
  readonly #session: UnitSession;
  readonly #points: readonly PointDefinition[];
  readonly #listener: SubscriptionListener;
  #current = new AbortController();

  constructor(session: UnitSession, points: readonly PointDefinition[], listener: SubscriptionListener) {
    this.#session = session;
    this.#points = points;
    this.#listener = listener;
  }

  /** The unit had been silent: all is told again. */
  renew(): void {
    this.#current.abort(new Error("the subscription is taken anew"));
  }

  /** Resolves once `signal` aborts. Rejects only for a bug of the driver. */
  async run(clock: Clock, signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      this.#current = new AbortController();
      const over = AbortSignal.any([signal, this.#current.signal]);
      const start = clock.uptime();
      const fault = await this.#hold(over);
      if (over.aborted || fault === undefined) continue;
      this.#listener.ended(fault.code);
      failures = since(start, clock.uptime()) >= HELD ? 1 : failures + 1;
      await rest(clock, exponentialBackoff(failures, BACKOFF), over);
    }
  }

  /** `undefined` once `over` aborted. */
  async #hold(over: AbortSignal): Promise<DeviceFault | undefined> {
    const listener = this.#listener;
    const sink = {
      tell: (point: PointDefinition, sample: Sample): void => {
        if (!over.aborted) listener.told(point, sample);
      },
      confirm: (): void => {
        if (!over.aborted) listener.confirmed();
      },
    };
    try {
      await this.#session.subscribe?.(this.#points, sink, over);
    } catch (error) {
      if (over.aborted) return undefined;
      if (error instanceof DeviceFault) return error;
      throw error;
    }
    return over.aborted ? undefined : new DeviceFault("connection-lost", "keep a subscription that ended");
  }
}

async function rest(clock: Clock, wait: Millis, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(Millis(wait), signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
