import type { Server } from "node:https";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { type CancelTimer, type Clock, Seconds } from "../../domain/time.ts";

/** PROTOCOL §2: unauthenticated connections at once, and how long one may take to show its certificate or its claim. */
const STRANGERS_MAX = 256;
const STRANGER_LIFE = Seconds(10);
const STRANGER_MAX_BYTES = 64 * 1024;

/**
 * Bounds what those cost who have shown no certificate of ours: number, time and bytes of their connections.
 * Returns whether a connection is still a stranger's.
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
    socket.on("data", () => {
      if (strangers.has(key) && socket.bytesRead > STRANGER_MAX_BYTES) socket.destroy();
    });
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
