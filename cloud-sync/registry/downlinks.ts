import type { GatewayId } from "../../domain/ids.ts";
import { DOWNLINK_LINE_MAX_BYTES, type DownlinkMessage } from "../../domain/wire/downlink.ts";

/** Bytes that may wait in one downlink: a gateway that does not read is cut off and comes again. */
const PENDING_MAX_BYTES = 1024 * 1024;

/** One streamed answer, by whoever carries it. */
export interface DownlinkStream {
  /** Bytes written and not yet gone. */
  readonly pendingBytes: number;
  write(line: string): void;
  close(): void;
}

/** Told when a session's downlink is opened, and when it has ended. */
export type DownlinkWatcher = (gatewayId: GatewayId, session: string, downlink: "open" | "ended") => void;

/** The open downlinks, at most one a gateway. Nothing is kept for a gateway that is not there (I29). */
export class DownlinkRegistry {
  readonly #open = new Map<GatewayId, { readonly session: string; readonly stream: DownlinkStream }>();
  #watcher: DownlinkWatcher = () => undefined;

  /** One watches: the register of the links. */
  watch(watcher: DownlinkWatcher): void {
    this.#watcher = watcher;
  }

  /** The newest stream of a gateway is its downlink; one before it is closed. Returns the way to leave. */
  open(gatewayId: GatewayId, session: string, stream: DownlinkStream): () => void {
    this.close(gatewayId, "another downlink was opened");
    this.#open.set(gatewayId, { session, stream });
    this.#watcher(gatewayId, session, "open");
    return () => {
      if (this.#open.get(gatewayId)?.stream === stream) this.#forget(gatewayId, session);
    };
  }

  isOpen(gatewayId: GatewayId, session: string): boolean {
    return this.#open.get(gatewayId)?.session === session;
  }

  /**
   * True: handed to the network, which is no proof that it arrives. False: not sent and never will be, because this
   * session has no downlink or does not read it.
   */
  send(gatewayId: GatewayId, session: string, message: DownlinkMessage): boolean {
    const downlink = this.#open.get(gatewayId);
    if (downlink === undefined || downlink.session !== session) return false;
    const line = `${JSON.stringify(message)}\n`;
    if (Buffer.byteLength(line) > DOWNLINK_LINE_MAX_BYTES) return false;
    if (downlink.stream.pendingBytes + line.length > PENDING_MAX_BYTES) {
      this.#forget(gatewayId, session);
      downlink.stream.close();
      return false;
    }
    downlink.stream.write(line);
    return true;
  }

  /** Ends the gateway's downlink, if it has one. */
  close(gatewayId: GatewayId, reason: string): void {
    const downlink = this.#open.get(gatewayId);
    if (downlink === undefined) return;
    this.#forget(gatewayId, downlink.session);
    downlink.stream.write(`${JSON.stringify({ kind: "closing", reason } satisfies DownlinkMessage)}\n`);
    downlink.stream.close();
  }

  #forget(gatewayId: GatewayId, session: string): void {
    this.#open.delete(gatewayId);
    this.#watcher(gatewayId, session, "ended");
  }

  closeAll(reason: string): void {
    for (const gatewayId of [...this.#open.keys()]) this.close(gatewayId, reason);
  }
}
