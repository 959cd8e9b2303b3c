import { Transform, type TransformCallback } from "node:stream";

/** MQTT 3.1.1 §2.2: a packet's type is the high half of its first byte, its length follows in one to four bytes. */
const CONNECT = 1;
const LENGTH_BYTES_MAX = 4;
/** aedes has no packet-size limit: three unauthenticated sockets took 690 MB (PROTOCOL, measured facts). */
export const FIRST_PACKET_MAX_BYTES = 16 * 1024;
export const PACKET_MAX_BYTES = 256 * 1024;
/** All that a client may send before it is let in (PROTOCOL §2); aedes would queue 42 packets of it. */
export const UNCONNECTED_MAX_BYTES = 64 * 1024;

/** A client sent what no client of ours sends; its connection is closed. */
export class OversizedPacketError extends Error {
  override readonly name = "OversizedPacketError";
}

/**
 * Stands before the broker's parser and lets only packets of a bounded length through: 16 KiB for the first, which
 * must be CONNECT, and the same until the client is let in, 64 KiB in all; 256 KiB after.
 */
export class LengthGuard extends Transform {
  readonly #isConnected: () => boolean;
  /** Bytes of the current packet's body that are still to come; 0: at the start of a packet. */
  #bodyLeft = 0;
  #header: { readonly type: number; length: number; factor: number; bytes: number } | null = null;
  #packets = 0;
  #unconnectedBytes = 0;

  constructor(isConnected: () => boolean) {
    super();
    this.#isConnected = isConnected;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const crowd = this.#countUnconnected(chunk.length);
    if (crowd !== null) {
      done(new OversizedPacketError(crowd));
      return;
    }
    let at = 0;
    while (at < chunk.length) {
      if (this.#bodyLeft > 0) {
        const take = Math.min(this.#bodyLeft, chunk.length - at);
        this.#bodyLeft -= take;
        at += take;
      } else {
        const fault = this.#headerByte(chunk[at] ?? 0);
        if (fault !== null) {
          done(new OversizedPacketError(fault));
          return;
        }
        at += 1;
      }
    }
    done(null, chunk);
  }

  #countUnconnected(bytes: number): string | null {
    if (this.#isConnected()) return null;
    this.#unconnectedBytes += bytes;
    if (this.#unconnectedBytes <= UNCONNECTED_MAX_BYTES) return null;
    return `more than ${UNCONNECTED_MAX_BYTES} bytes before the client was let in`;
  }

  #headerByte(byte: number): string | null {
    if (this.#header === null) {
      const type = byte >> 4;
      if (this.#packets === 0 && type !== CONNECT) return "the first packet is not CONNECT";
      this.#header = { type, length: 0, factor: 1, bytes: 0 };
      return null;
    }
    const header = this.#header;
    header.length += (byte & 0x7f) * header.factor;
    header.factor *= 128;
    header.bytes += 1;
    if ((byte & 0x80) !== 0)
      return header.bytes < LENGTH_BYTES_MAX ? null : "a packet length of more than four bytes";
    this.#header = null;
    this.#packets += 1;
    this.#bodyLeft = header.length;
    const limit = this.#isConnected() ? PACKET_MAX_BYTES : FIRST_PACKET_MAX_BYTES;
    return header.length <= limit ? null : `a packet of ${header.length} bytes, at most ${limit}`;
  }
}
