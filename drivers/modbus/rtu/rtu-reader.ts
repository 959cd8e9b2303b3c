import { answerLengths, type Expectation, frameLengthAt, isAnswerAt, RTU_FRAME_MIN } from "./rtu-frame.ts";

/** Bytes held back at most; of more, the oldest are forgotten. No answer is longer than 256. */
const HELD_MAX = 1_024;
const HELD_AFTER_FORGETTING = 512;

/** What was on the line and was no answer to the request of the moment. */
export interface Remains {
  /** Whole frames, in their order; views of {@link bytes}. */
  readonly frames: readonly Buffer[];
  /** Runs of bytes that belong to no whole frame. */
  readonly broken: readonly Buffer[];
  readonly bytes: Buffer;
}

/**
 * Finds frames by length and checksum, never by gaps: an adapter hands bytes over in pieces that say nothing of the
 * time on the wire. Holds at most 1,024 bytes.
 */
export class RtuReader {
  readonly #held = Buffer.alloc(HELD_MAX);
  #length = 0;

  get heldBytes(): number {
    return this.#length;
  }

  /**
   * Takes bytes as they come. Returns the answer to `expected` as soon as its last byte is there, wherever it began;
   * a view that is void at the next call. What came before it, in {@link takeRemains}; what came behind it is held.
   */
  push(bytes: Uint8Array, expected: Expectation | undefined): Buffer | undefined {
    for (let at = 0; at < bytes.length; at += 1) {
      if (this.#length === HELD_MAX) this.#forget();
      this.#held[this.#length] = bytes[at] ?? 0;
      this.#length += 1;
      const answer = expected === undefined ? undefined : this.#findAnswer(expected);
      if (answer === undefined) continue;
      // Copied first: what is behind takes its place.
      const found = Buffer.from(answer);
      this.#length -= found.length;
      this.push(bytes.subarray(at + 1), undefined);
      return found;
    }
    return undefined;
  }

  /** Whether what is held begins with `request`, as an adapter with local echo hands it over; takes it out then. */
  takeEcho(request: Buffer): boolean {
    const begins = this.#length >= request.length && this.#held.subarray(0, request.length).equals(request);
    if (!begins) return false;
    this.#held.copyWithin(0, request.length, this.#length);
    this.#length -= request.length;
    return true;
  }

  /** Whether what is held may become `request`. */
  beginsLike(request: Buffer): boolean {
    const length = Math.min(this.#length, request.length);
    return (
      this.#length < request.length && this.#held.subarray(0, length).equals(request.subarray(0, length))
    );
  }

  /** Empties the reader, to be read again. */
  takeAll(): Buffer {
    const bytes = Buffer.from(this.#held.subarray(0, this.#length));
    this.#length = 0;
    return bytes;
  }

  /** Empties the reader and says what was in it. */
  takeRemains(): Remains {
    const bytes = this.takeAll();
    return { ...sort(bytes), bytes };
  }

  #findAnswer(expected: Expectation): Buffer | undefined {
    for (const length of answerLengths(expected)) {
      const at = this.#length - length;
      if (isAnswerAt(this.#held, at, length, expected)) return this.#held.subarray(at, this.#length);
    }
    return undefined;
  }

  #forget(): void {
    const dropped = HELD_MAX - HELD_AFTER_FORGETTING;
    this.#held.copyWithin(0, dropped, HELD_MAX);
    this.#length = HELD_AFTER_FORGETTING;
  }
}

/** At most 1,024 checksums of at most 256 bytes. */
function sort(bytes: Buffer): Pick<Remains, "frames" | "broken"> {
  const frames: Buffer[] = [];
  const broken: Buffer[] = [];
  let brokenFrom = 0;
  let at = 0;
  while (at < bytes.length) {
    const length = bytes.length - at < RTU_FRAME_MIN ? 0 : frameLengthAt(bytes, at);
    if (length === 0) {
      at += 1;
      continue;
    }
    if (at > brokenFrom) broken.push(bytes.subarray(brokenFrom, at));
    frames.push(bytes.subarray(at, at + length));
    at += length;
    brokenFrom = at;
  }
  if (at > brokenFrom) broken.push(bytes.subarray(brokenFrom, at));
  return { frames, broken };
}
