import { FRAME_BYTES_MAX, FRAME_BYTES_MIN, START } from "./osdp-frame.ts";

/** Start, address and length: less is no sign of a frame. */
const HEAD_BYTES = 4;

/**
 * Finds frames in what a line brings: by start byte and length, whatever the chunks are; noise between frames is
 * passed over. Holds at most one frame.
 */
export class OsdpFrameReader {
  #held: Buffer = Buffer.alloc(0);
  #noiseBytes = 0;

  /** Bytes passed over since the start. */
  get noiseBytes(): number {
    return this.#noiseBytes;
  }

  /** Hands each whole frame on, intact or not. */
  read(bytes: Uint8Array, onFrame: (frame: Buffer) => void): void {
    this.#held = Buffer.concat([this.#held, bytes]);
    for (let frame = this.#take(); frame !== undefined; frame = this.#take()) onFrame(frame);
  }

  /** Forgets what it holds, as the rest of it will not come: `short-frame` where a frame had begun, else it was noise. */
  reset(): "short-frame" | "noise" {
    const isFrame = this.#held.length >= HEAD_BYTES;
    if (!isFrame) this.#noiseBytes += this.#held.length;
    this.#held = Buffer.alloc(0);
    return isFrame ? "short-frame" : "noise";
  }

  #take(): Buffer | undefined {
    for (;;) {
      const start = this.#held.indexOf(START);
      if (start !== 0) this.#skip(start === -1 ? this.#held.length : start);
      if (this.#held.length < HEAD_BYTES) return undefined;
      const length = this.#held.readUInt16LE(2);
      if (length >= FRAME_BYTES_MIN && length <= FRAME_BYTES_MAX) return this.#cut(length);
      // A start byte inside noise: the next one is looked for behind it.
      this.#skip(1);
    }
  }

  #cut(length: number): Buffer | undefined {
    if (this.#held.length < length) return undefined;
    const frame = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    return frame;
  }

  #skip(count: number): void {
    this.#noiseBytes += count;
    this.#held = this.#held.subarray(count);
  }
}
