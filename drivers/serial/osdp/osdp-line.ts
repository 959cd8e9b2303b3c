import type { BusHealth } from "../../../domain/line/line-health.ts";
import { after, type Clock, Millis, Seconds, Uptime } from "../../../domain/time.ts";
import type { FrameSink } from "../../driver.ts";
import { scheduleGiveUp } from "../../give-up.ts";
import type { ByteLine } from "../../line/byte-line.ts";
import { LineLedger } from "../../line/line-ledger.ts";
import { LineLoss } from "../../line/line-loss.ts";
import { REPLY } from "./osdp-codes.ts";
import type { OsdpLine } from "./osdp-conversation.ts";
import { decodeFrame, type OsdpFrame, type SoundFrame } from "./osdp-frame.ts";
import { OsdpFrameReader } from "./osdp-frame-reader.ts";

export interface OsdpLineParts {
  readonly bytes: ByteLine;
  readonly clock: Clock;
  /** From the end of a command to the end of its answer. */
  readonly replyTimeout: Millis;
  /** Takes frames without what a person presented: see {@link PanelLine}. */
  readonly frames: FrameSink;
}

interface Waiting {
  wants(frame: OsdpFrame): boolean;
  take(answer: SoundFrame): void;
  /** Something came, and it was damaged: the unit is not silent. */
  isBroken: boolean;
}

/** SIA OSDP 2.2 §5.7: the line rests for two characters between frames. */
const REST_CHARACTERS = 2;
/** What comes even later after its time was asked by somebody else. */
const OWED_FOR = Seconds(1);
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
  readonly #loss: LineLoss;
  readonly #stopListening: () => void;
  readonly #ledger = new LineLedger([
    "refusals",
    "crcErrors",
    "shortFrames",
    "lateReplies",
    "unexpectedSenders",
  ]);
  /** Units (127 at most) with answers for which nobody waits any more, and until when those may still come. */
  readonly #owed = new Map<number, { readonly answers: number; readonly until: Uptime }>();
  #waiting: Waiting | undefined;
  /** What was sent last: an adapter may repeat it. */
  #sent: Buffer = Buffer.alloc(0);

  constructor(parts: OsdpLineParts) {
    this.#parts = parts;
    this.#loss = new LineLoss(parts.bytes);
    this.#stopListening = parts.bytes.onBytes((bytes) =>
      this.#reader.read(bytes, (frame) => this.#receive(frame)),
    );
  }

  health(): BusHealth {
    return { ...this.#ledger.health(), noiseBytes: this.#reader.noiseBytes };
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
    this.#dropHeld();
    const answer = Promise.withResolvers<SoundFrame | undefined>();
    const waiting: Waiting = { wants, take: answer.resolve, isBroken: false };
    this.#waiting = waiting;
    const onAbort = (): void => answer.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    const stopWatching = this.#loss.onLost(() => answer.resolve(undefined));
    let cancelTimer = (): void => {};
    try {
      frames("sent", frame);
      // A refused write ends the wait; until then it is handled here.
      answer.promise.catch(() => {});
      await clock.sleep(Millis(REST_CHARACTERS * bytes.characterTime), signal);
      this.#ledger.asked(unitOf(frame));
      this.#sent = frame;
      await bytes.write(frame, signal);
      cancelTimer = scheduleGiveUp(clock, replyTimeout, () => {
        this.#noteFailure(unitOf(frame), waiting);
        answer.resolve(undefined);
      });
      return await answer.promise;
    } finally {
      cancelTimer();
      stopWatching();
      signal.removeEventListener("abort", onAbort);
      if (this.#waiting === waiting) this.#noteOwed(unitOf(frame));
      this.#waiting = undefined;
    }
  }

  #noteFailure(unit: number, waiting: Waiting): void {
    this.#dropHeld();
    this.#ledger.failed(unit, waiting.isBroken ? "broken" : "silent");
  }

  #noteOwed(unit: number): void {
    const answers = 1 + (this.#owed.get(unit)?.answers ?? 0);
    this.#owed.set(unit, { answers, until: after(this.#parts.clock.uptime(), OWED_FOR) });
  }

  /** Whether the unit still owed an answer; one less now. */
  #payOwed(unit: number): boolean {
    const { answers, until } = this.#owed.get(unit) ?? { answers: 0, until: Uptime(0) };
    if (answers <= 1) this.#owed.delete(unit);
    else this.#owed.set(unit, { answers: answers - 1, until });
    return answers > 0 && this.#parts.clock.uptime() <= until;
  }

  #dropHeld(): void {
    if (this.#reader.reset() === "noise") return;
    this.#ledger.count("shortFrames");
    if (this.#waiting !== undefined) this.#waiting.isBroken = true;
  }

  #receive(bytes: Buffer): void {
    const decoded = decodeFrame(bytes);
    if ("defect" in decoded) {
      this.#ledger.count("crcErrors");
      if (this.#waiting !== undefined) this.#waiting.isBroken = true;
      this.#parts.frames("received", bytes);
      return;
    }
    const { frame } = decoded;
    this.#parts.frames("received", shownToCrews(bytes, decoded));
    if (this.#waiting?.wants(frame) !== true) {
      this.#noteStranger(frame, bytes);
      return;
    }
    this.#ledger.answered(frame.address, frame.code === REPLY.nak ? "by-refusal" : "rightly");
    this.#waiting.take({
      frame: { ...frame, data: Buffer.from(frame.data) },
      signedBytes: Buffer.from(decoded.signedBytes),
    });
    this.#waiting = undefined;
  }

  /** Our own command, handed back by the line's transceiver, is no answer; nor is what comes too late, or from a second panel. */
  #noteStranger({ from, address }: OsdpFrame, bytes: Buffer): void {
    if (from === "panel" && bytes.equals(this.#sent)) this.#ledger.echoed();
    else if (from === "unit" && this.#payOwed(address)) this.#ledger.count("lateReplies");
    else this.#ledger.count("unexpectedSenders");
  }
}

function unitOf(frame: Buffer): number {
  return frame.readUInt8(1);
}

/** A frame in clear with a card or keys loses its data, byte for byte; a sealed one tells nobody anything. */
function shownToCrews(bytes: Buffer, { frame, signedBytes }: SoundFrame): Buffer {
  if (frame.security !== undefined || !PERSONAL.has(frame.code)) return bytes;
  const shown = Buffer.from(bytes);
  return shown.fill(BLANK, signedBytes.length - frame.data.length, signedBytes.length);
}
