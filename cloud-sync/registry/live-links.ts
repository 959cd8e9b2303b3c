import type { GatewayId, Token } from "../../domain/ids.ts";
import type { Clock, Uptime } from "../../domain/time.ts";
import {
  HEARTBEAT_INTERVAL,
  HEARTBEAT_LATE,
  HEARTBEATS_MISSED_MAX,
  type Heartbeat,
} from "../../domain/wire/heartbeat.ts";
import type { LinkStateName } from "../store/tables/links.ts";

const DOWN_AFTER = HEARTBEAT_INTERVAL * HEARTBEATS_MISSED_MAX;

/** Newest proof of freshness from a gateway. Kept in memory only: another process's uptime means nothing here. */
export interface FreshToken {
  readonly token: Token;
  /** Of this center's process: what its age is measured by (PROTOCOL §8, freshness rule). */
  readonly receivedAt: Uptime;
  readonly session: string;
}

export interface LiveLink {
  readonly gatewayId: GatewayId;
  readonly gatewayNo: number;
  readonly session: string;
  /** Kinds of orders that the gateway announced in the HELLO of this session. */
  readonly actions: readonly string[];
  readonly state: LinkStateName;
  /** `ended`: nothing can be sent to the gateway, whatever still comes from it. */
  readonly downlink: "open" | "ended";
  readonly lastHeardAt: Uptime;
  readonly token: FreshToken | null;
  readonly heads: Heartbeat["heads"] | null;
  readonly backlog: Heartbeat["backlog"] | null;
  /** Uptime of this center at which each poll sweep was last known to be complete. */
  readonly sweeps: ReadonlyMap<number, Uptime>;
}

/** The links of this process's gateways, one each; as many as there are gateways. */
export class LiveLinks {
  readonly #clock: Clock;
  readonly #links = new Map<GatewayId, LiveLink>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** As its silence says at this moment. */
  find(id: GatewayId): LiveLink | undefined {
    const link = this.#links.get(id);
    return link === undefined ? undefined : { ...link, state: this.#stateOf(link) };
  }

  all(): readonly LiveLink[] {
    return [...this.#links.values()];
  }

  /** As after a start: tokens and uptimes of before prove nothing. */
  forgetAll(): void {
    this.#links.clear();
  }

  newestToken(id: GatewayId): FreshToken | undefined {
    return this.#links.get(id)?.token ?? undefined;
  }

  /** The session is current: an older one's token proves nothing any more. Without `actions` no order is sent over it. */
  activate(id: GatewayId, gatewayNo: number, session: string, actions: readonly string[] = []): void {
    this.#links.set(id, {
      gatewayId: id,
      gatewayNo,
      session,
      actions,
      state: "up",
      downlink: "open",
      lastHeardAt: this.#clock.uptime(),
      token: null,
      heads: null,
      backlog: null,
      sweeps: new Map(),
    });
  }

  /** Any request of the current session shows that the gateway lives. Gives the state if that changed it. */
  heard(id: GatewayId, session: string): LinkStateName | undefined {
    const link = this.#links.get(id);
    if (link === undefined || link.session !== session) return undefined;
    const heard = { ...link, lastHeardAt: this.#clock.uptime() };
    const state = this.#stateOf(heard);
    this.#links.set(id, { ...heard, state });
    return link.state === state ? undefined : state;
  }

  /** A way down that ends is no lost link, but no good one: the gateway may be gone, and opens another if it is not. */
  noteDownlink(id: GatewayId, session: string, downlink: LiveLink["downlink"]): void {
    const link = this.#links.get(id);
    if (link !== undefined && link.session === session) this.#links.set(id, { ...link, downlink });
  }

  beat(id: GatewayId, session: string, heartbeat: Heartbeat, token: Token): void {
    const link = this.#links.get(id);
    if (link === undefined || link.session !== session) return;
    const now = this.#clock.uptime();
    this.#links.set(id, {
      ...link,
      token: { token, receivedAt: now, session },
      heads: heartbeat.heads,
      backlog: heartbeat.backlog,
      sweeps: new Map(heartbeat.sweeps.map(([sweep, agoMs]) => [sweep, (now - agoMs) as Uptime])),
    });
  }

  /** Links whose state is not what their silence says, with what it is now. */
  judge(): readonly LiveLink[] {
    const changed: LiveLink[] = [];
    for (const link of this.#links.values()) {
      const state = this.#stateOf(link);
      if (state === link.state) continue;
      const judged = { ...link, state };
      this.#links.set(link.gatewayId, judged);
      changed.push(judged);
    }
    return changed;
  }

  #stateOf({ lastHeardAt, downlink }: LiveLink): LinkStateName {
    const silenceMs = this.#clock.uptime() - lastHeardAt;
    if (silenceMs >= DOWN_AFTER) return "down";
    return silenceMs >= HEARTBEAT_LATE || downlink === "ended" ? "degraded" : "up";
  }
}
