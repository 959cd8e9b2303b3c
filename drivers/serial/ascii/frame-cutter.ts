import { CHECKSUM_BYTES, checksumOf, isChecksumRight } from "./checksum.ts";
import { FRAME_BYTES_MAX, type Framing } from "./framing.ts";

/** A frame's text, or what is wrong with it. */
export type CutFrame =
  | { readonly text: string }
  | { readonly defect: "no end" | "another start" | "too short for its checksum" | "wrong checksum" };

/** The text as one frame for the line. */
export function frameOf(text: string, framing: Framing): Buffer {
  const body = Buffer.from(text, "latin1");
  const sum = framing.checksum === undefined ? Buffer.alloc(0) : checksumOf(framing.checksum, body);
  const end = framing.end.by === "delimiter" ? framing.end.bytes : Buffer.alloc(0);
  return Buffer.concat([framing.start, body, sum, end]);
}

/** Cuts what a line brings into frames, whatever the chunks are. Holds at most one frame; more without an end is dropped. */
export class FrameCutter {
  readonly #framing: Framing;
  #noiseBytes = 0;
  #held: Buffer = Buffer.alloc(0);

  constructor(framing: Framing) {
    this.#framing = framing;
  }

  /** Bytes passed over since the start. */
  get noiseBytes(): number {
    return this.#noiseBytes;
  }

  /** Hands on each frame that ends inside `bytes`. One that ends by silence is handed on by {@link endBySilence}. */
  take(bytes: Uint8Array, onFrame: (frame: CutFrame) => void): void {
    this.#held = Buffer.concat([this.#held, bytes]);
    for (let whole = this.#cut(); whole !== undefined; whole = this.#cut()) onFrame(this.#open(whole));
    if (this.#held.length <= FRAME_BYTES_MAX) return;
    this.#skip(this.#held.length);
    onFrame({ defect: "no end" });
  }

  endBySilence(onFrame: (frame: CutFrame) => void): void {
    if (this.#held.length === 0 || this.#framing.end.by !== "silence") return;
    const whole = this.#held;
    this.#held = Buffer.alloc(0);
    onFrame(this.#open(whole));
  }

  /** Forgets what it holds, as the rest of it will not come: `short-frame` where a frame had begun, else it was noise. */
  reset(): "short-frame" | "noise" {
    const isFrame = this.#held.length > this.#framing.start.length;
    if (!isFrame) this.#noiseBytes += this.#held.length;
    this.#held = Buffer.alloc(0);
    return isFrame ? "short-frame" : "noise";
  }

  /** The next whole frame without its delimiter. */
  #cut(): Buffer | undefined {
    const { start, end } = this.#framing;
    this.#skipNoise(start);
    if (end.by === "length") return this.#split(end.bytes, 0);
    if (end.by === "silence") return undefined;
    const at = this.#held.indexOf(end.bytes, start.length);
    return at === -1 ? undefined : this.#split(at, end.bytes.length);
  }

  #split(length: number, more: number): Buffer | undefined {
    if (this.#held.length < length) return undefined;
    const frame = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length + more);
    return frame;
  }

  #skipNoise(start: Buffer): void {
    if (start.length === 0) return;
    const at = this.#held.indexOf(start);
    // The last bytes may be the beginning of a start.
    this.#skip(at === -1 ? Math.max(0, this.#held.length - start.length + 1) : at);
  }

  #skip(count: number): void {
    this.#noiseBytes += count;
    this.#held = this.#held.subarray(count);
  }

  #open(whole: Buffer): CutFrame {
    const { start, checksum } = this.#framing;
    if (start.length > 0 && !whole.subarray(0, start.length).equals(start)) {
      this.#noiseBytes += whole.length;
      return { defect: "another start" };
    }
    const inner = whole.subarray(start.length);
    if (checksum === undefined) return { text: inner.toString("latin1") };
    const bytes = CHECKSUM_BYTES[checksum];
    if (inner.length < bytes) return { defect: "too short for its checksum" };
    const body = inner.subarray(0, -bytes);
    if (!isChecksumRight(checksum, body, inner.subarray(-bytes))) return { defect: "wrong checksum" };
    return { text: body.toString("latin1") };
  }
}
