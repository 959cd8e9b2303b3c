/** Protocol identifier, length and unit follow the transaction id (Messaging on TCP/IP V1.0b §3.1.3). */
export const MBAP_BYTES = 7;
/** The length field and what is before it; it counts the bytes behind it. */
const LENGTH_END = 6;
/** Unit and function at least, unit and a PDU of 253 bytes at most (Modbus V1.1b3 §4.1). */
const LENGTH_MIN = 2;
const LENGTH_MAX = 254;
export const FRAME_BYTES_MAX = LENGTH_END + LENGTH_MAX;

/**
 * Cuts a byte stream into Modbus TCP frames. Holds at most one unfinished frame, 260 bytes.
 * A stream that broke the framing has no place to start again: the connection must go.
 */
export class MbapReader {
  readonly #unfinished = Buffer.alloc(FRAME_BYTES_MAX);
  #held = 0;

  /**
   * Calls `onFrame` for every whole frame; its bytes are void when it returns.
   * @returns what is wrong with the stream; `undefined` while it is right.
   */
  read(chunk: Buffer, onFrame: (frame: Buffer) => void): string | undefined {
    let at = 0;
    while (at < chunk.length) {
      const taken =
        this.#held === 0 ? this.#takeWhole(chunk, at, onFrame) : this.#takePart(chunk, at, onFrame);
      if (typeof taken === "string") return taken;
      at += taken;
    }
    return undefined;
  }

  /** Nearly every frame comes whole: no copy. */
  #takeWhole(chunk: Buffer, at: number, onFrame: (frame: Buffer) => void): number | string {
    if (chunk.length - at < LENGTH_END) return this.#takePart(chunk, at, onFrame);
    const defect = headerDefect(chunk, at);
    if (defect !== undefined) return defect;
    const size = LENGTH_END + chunk.readUInt16BE(at + 4);
    if (chunk.length - at < size) return this.#takePart(chunk, at, onFrame);
    onFrame(chunk.subarray(at, at + size));
    return size;
  }

  #takePart(chunk: Buffer, at: number, onFrame: (frame: Buffer) => void): number | string {
    const wanted = this.#held < LENGTH_END ? LENGTH_END : LENGTH_END + this.#unfinished.readUInt16BE(4);
    const count = Math.min(wanted - this.#held, chunk.length - at);
    chunk.copy(this.#unfinished, this.#held, at, at + count);
    this.#held += count;
    if (this.#held < wanted) return count;
    if (wanted === LENGTH_END) return headerDefect(this.#unfinished, 0) ?? count;
    this.#held = 0;
    onFrame(this.#unfinished.subarray(0, wanted));
    return count;
  }
}

function headerDefect(bytes: Buffer, at: number): string | undefined {
  const protocol = bytes.readUInt16BE(at + 2);
  if (protocol !== 0) return `the frame has protocol identifier ${protocol}, Modbus has 0`;
  const length = bytes.readUInt16BE(at + 4);
  if (length >= LENGTH_MIN && length <= LENGTH_MAX) return undefined;
  return `the frame has length ${length}, Modbus has ${LENGTH_MIN} to ${LENGTH_MAX}`;
}
