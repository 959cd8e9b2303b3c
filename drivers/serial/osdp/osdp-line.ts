import { type Clock, Millis } from "../../../domain/time.ts";
import type { FrameSink } from "../../driver.ts";
import type { ByteLine } from "../../line/byte-line.ts";
import { REPLY } from "./osdp-codes.ts";
import type { OsdpLine } from "./osdp-conversation.ts";
import { decodeFrame, type OsdpFrame, type SoundFrame } from "./osdp-frame.ts";
import { OsdpFrameReader } from "./osdp-frame-reader.ts";

/** What went over the line since it was opened. */
export interface OsdpCounts {
  /** Frames whose CRC or checksum was wrong, or that held none. */
  readonly brokenFrames: number;
  /** Frames of a unit that was not asked, or that came too late. */
  readonly strayFrames: number;
  readonly retries: number;
  readonly noiseBytes: number;
}

export interface OsdpLineParts {
  readonly bytes: ByteLine;
  readonly clock: Clock;
  /** From the end of a command to the end of its answer. */
  readonly replyTimeout: Millis;
  /** Takes frames without what a person presented: see {@link PanelLine}. */
  readonly frames: FrameSink;
}

/** SIA OSDP 2.2 §5.7: the line rests for two characters between frames. */
const REST_CHARACTERS = 2;
/** Replies that tell what a person presented or pressed. */
const PERSONAL: ReadonlySet<number> = new Set([REPLY.card, REPLY.keypad]);
const BLANK = 0x2a;

/**
 * The panel's side of one RS-485 line: one command at a time, and the answer to it. Card numbers and keys that came in
 * clear are not shown to crews: the frame ring gets such frames with their data blanked.
 */
export class PanelLine implements OsdpLine {
  readonly #parts: OsdpLineParts;
  readonly #reader = new OsdpFrameReader();
  readonly #stopListening: () => void;
  #waiting: { wants(frame: OsdpFrame): boolean; take(answer: SoundFrame): void } | undefined;
  #brokenFrames = 0;
  #strayFrames = 0;
  #retries = 0;

  constructor(parts: OsdpLineParts) {
    this.#parts = parts;
    this.#stopListening = parts.bytes.onBytes((bytes) =>
      this.#reader.read(bytes, (frame) => this.#receive(frame)),
    );
  }

  get counts(): OsdpCounts {
    return {
      brokenFrames: this.#brokenFrames,
      strayFrames: this.#strayFrames,
      retries: this.#retries,
      noiseBytes: this.#reader.noiseBytes,
    };
  }

  countRetry(): void {
    this.#retries += 1;
  }

  close(): void {
    this.#stopListening();
  }

  async ask(
    frame: Buffer,
    wants: (answer: OsdpFrame) => boolean,
    signal: AbortSignal,
  ): Promise<SoundFrame | undefined> {
    const { bytes, clock, replyTimeout, frames } = this.#parts;
    signal.throwIfAborted();
    this.#reader.reset();
    const answer = Promise.withResolvers<SoundFrame | undefined>();
    this.#waiting = { wants, take: answer.resolve };
    const onAbort = (): void => answer.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    let cancelTimer = (): void => {};
    try {
      frames("sent", frame);
      // A refused write ends the wait; until then it is handled here.
      answer.promise.catch(() => {});
      await clock.sleep(Millis(REST_CHARACTERS * bytes.characterTime), signal);
      await bytes.write(frame, signal);
      cancelTimer = clock.schedule(replyTimeout, () => answer.resolve(undefined));
      void bytes.lost.then(() => answer.resolve(undefined));
      return await answer.promise;
    } finally {
      cancelTimer();
      signal.removeEventListener("abort", onAbort);
      this.#waiting = undefined;
    }
  }

  #receive(bytes: Buffer): void {
    const decoded = decodeFrame(bytes);
    if ("defect" in decoded) {
      this.#brokenFrames += 1;
      this.#parts.frames("received", bytes);
      return;
    }
    const { frame } = decoded;
    this.#parts.frames("received", shownToCrews(bytes, decoded));
    // Our own command, echoed by the line's transceiver, is no answer.
    if (this.#waiting?.wants(frame) === true) {
      this.#waiting.take({
        frame: { ...frame, data: Buffer.from(frame.data) },
        signedBytes: Buffer.from(decoded.signedBytes),
      });
      this.#waiting = undefined;
    } else if (frame.from === "unit") this.#strayFrames += 1;
  }
}

/** A frame in clear with a card or keys loses its data, byte for byte; a sealed one tells nobody anything. */
function shownToCrews(bytes: Buffer, { frame, signedBytes }: SoundFrame): Buffer {
  if (frame.security !== undefined || !PERSONAL.has(frame.code)) return bytes;
  const shown = Buffer.from(bytes);
  return shown.fill(BLANK, signedBytes.length - frame.data.length, signedBytes.length);
}
