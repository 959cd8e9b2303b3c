import type { GatewayId } from "../../domain/ids.ts";
import type { Uptime } from "../../domain/time.ts";
import type { DownlinkMessage } from "../../domain/wire/downlink.ts";

/** What dispatch asks about a gateway's link. */
export interface GatewayLinks {
  find(id: GatewayId):
    | {
        /** The current sync session. */
        readonly session: string;
        /** Kinds of orders that the gateway announced in the HELLO of this session. */
        readonly actions: readonly string[];
        readonly state: "up" | "degraded" | "down";
        readonly token: { readonly token: string; readonly receivedAt: Uptime } | null;
        /** Of the heartbeat that brought the token: records of lane A that the center has not acknowledged. */
        readonly backlog: { readonly A: number } | null;
      }
    | undefined;
}

/** The way to a gateway, and the only one. */
export interface Downlinks {
  isOpen(id: GatewayId, session: string): boolean;
  /** False: not sent, and never will be. */
  send(id: GatewayId, session: string, message: DownlinkMessage): boolean;
}
