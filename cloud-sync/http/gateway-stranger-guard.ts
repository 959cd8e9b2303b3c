import type { Server } from "node:https";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { type CancelTimer, type Clock, Seconds } from "../../domain/time.ts";

/** PROTOCOL §2: unauthenticated connections at once, and how long one may take to show its certificate or its claim. */
const STRANGERS_MAX = 256;
const STRANGER_LIFE = Seconds(10);

/**
 * Bounds what those cost who have shown no certificate of ours: number and time of their connections. Their
 * bytes are bounded by one request a connection, with a header of 16 KiB and a claim of 16 KiB at most.
 */
export function guardAgainstStrangers(server: Server, clock: Clock): { readonly count: () => number } {
  const strangers = new Map<string, CancelTimer>();
  const forget = (key: string): void => {
    strangers.get(key)?.();
    strangers.delete(key);
  };
  server.on("connection", (socket: Socket) => {
    if (strangers.size >= STRANGERS_MAX) {
      socket.destroy();
      return;
    }
    const key = keyOf(socket);
    strangers.set(
      key,
      clock.schedule(STRANGER_LIFE, () => socket.destroy()),
    );
    socket.once("close", () => forget(key));
  });
  server.on("secureConnection", (socket: TLSSocket) => {
    if (socket.authorized) forget(keyOf(socket));
  });
  // What fails in the handshake is the other side's affair, and costs only its connection.
  server.on("tlsClientError", (_error: Error, socket: TLSSocket) => socket.destroy());
  return { count: () => strangers.size };
}

function keyOf(socket: Socket): string {
  return `${socket.remoteAddress}|${socket.remotePort}`;
}
