import type { GatewayId, PointId } from "../../domain/ids.ts";

/**
 * Hints between the parts of the center, in this process: told after the commit that made them true. Facts are read
 * from the store; a hint that is missed costs only time, because every listener also looks by period.
 */
export interface CenterHints {
  /** Current state of these points moved; at most 10,000 ids a hint. `trueIds`: those of them that are true now. */
  readonly "state-changed": {
    readonly gatewayId: GatewayId;
    readonly pointIds: readonly PointId[];
    readonly trueIds: readonly PointId[];
  };
  /** Lane A was stored; commands that it moved are named. */
  readonly "evidence-arrived": { readonly gatewayId: GatewayId; readonly commandIds: readonly string[] };
  /** Single records of lanes B or D were stored. */
  readonly "events-arrived": { readonly gatewayId: GatewayId };
  readonly "catalogue-changed": { readonly gatewayId: GatewayId };
  readonly "link-changed": { readonly gatewayId: GatewayId; readonly state: "up" | "degraded" | "down" };
  /** `session` is current from now on; all lower ones are fenced. */
  readonly "session-activated": { readonly gatewayId: GatewayId; readonly session: string };
  /** A newer token and newer sweeps are there. */
  readonly "heartbeat-arrived": { readonly gatewayId: GatewayId };
  /** An alarm of the center's own was raised or repeated. */
  readonly "alarm-raised": { readonly gatewayId: GatewayId; readonly name: string };
  /** Alarms were raised, cleared, acknowledged or shelved; null: one of no gateway. */
  readonly "alarms-changed": { readonly gatewayId: GatewayId | null };
  /** Told by dispatch: the command moved. */
  readonly "command-changed": { readonly gatewayId: GatewayId; readonly commandId: string };
}
export type CenterHintName = keyof CenterHints;
export type CenterHintListener<Name extends CenterHintName> = (hint: CenterHints[Name]) => void;

/** What the parts ask of the message bus. A later one between replicas has the same face. */
export interface CenterEvents {
  tell<Name extends CenterHintName>(name: Name, hint: CenterHints[Name]): void;
  /** A listener only notes and wakes: it must not throw and must not wait. Returns the way to stop. */
  on<Name extends CenterHintName>(name: Name, listener: CenterHintListener<Name>): () => void;
}

/** The message bus of a center that is one process. */
export class InProcessCenterEvents implements CenterEvents {
  readonly #listeners = new Map<CenterHintName, Set<(hint: never) => void>>();

  tell<Name extends CenterHintName>(name: Name, hint: CenterHints[Name]): void {
    const listeners = this.#listeners.get(name) ?? [];
    for (const listener of [...listeners]) (listener as CenterHintListener<Name>)(hint);
  }

  on<Name extends CenterHintName>(name: Name, listener: CenterHintListener<Name>): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }
}
