import type { Millis } from "../../domain/time.ts";

/** One change that the devices' journal must show. */
export interface Move {
  readonly device: string;
  /** As the journal calls it: `level`, `contactor-3`, … */
  readonly what: string;
  /** A level to within a percent. */
  readonly to: number;
  /** What it is on the way there: a motor runs, then it rests. Default: nothing, it moves once. */
  readonly via?: readonly number[];
}

export type OrderValue = number | boolean | string;

/** An order and what must come of it. */
export interface CommandCase {
  readonly name: string;
  readonly gatewayId: string;
  readonly pointId: string;
  readonly value: OrderValue;
  readonly ttlMs?: number;
  /** End state at the center, with the cause of a refusal. */
  readonly expected: string;
  /** All that the order may move in the whole city, each exactly once; nothing else may. */
  readonly moves: readonly Move[];
  /** The end must come within this. Default: no matter when. */
  readonly within?: Millis;
  /**
   * Of a hazardous order: the preview is looked at once these points stand so, and confirmed with the order. Others may
   * stand as they do.
   */
  readonly stands?: Readonly<Record<string, OrderValue>>;
  /** What is done before the look, between the look and the order, and in any case at the end. */
  readonly before?: () => Promise<void>;
  readonly between?: () => Promise<void>;
  readonly afterwards?: () => Promise<void>;
  /**
   * Holds the gateway's core still this long while the order is given: it is sent, waits in the socket beyond the
   * time for which it was wanted, and must then move nothing.
   */
  readonly freeze?: Millis;
}

/** What became of a case. */
export interface CommandCheck {
  readonly name: string;
  readonly gatewayId: string;
  readonly pointId: string;
  readonly value: OrderValue;
  readonly expected: string;
  readonly end: string;
  readonly states: readonly string[];
  /** From the order to its end, ms. */
  readonly tookMs: number;
  /** What the order changed, by the devices' own journal. */
  readonly effects: readonly string[];
  readonly problems: readonly string[];
}
