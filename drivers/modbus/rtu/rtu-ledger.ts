import type { BusHealth } from "../../../domain/line/line-health.ts";
import type { Millis, Uptime } from "../../../domain/time.ts";
import { after } from "../../../domain/time.ts";
import { LineLedger } from "../../line/line-ledger.ts";
import { type Expectation, RTU_FRAME_MIN } from "./rtu-frame.ts";
import type { Remains } from "./rtu-reader.ts";

/** What a unit still owes: it may come at any moment, and looks like an answer to the next request of its kind. */
interface Owed {
  readonly functionCode: number;
  readonly until: Uptime;
}

const EXCEPTION_FLAG = 0x80;

/** Counts what happens on one RTU line, and remembers which units (247 at most) owe an answer. */
export class RtuLedger {
  readonly #grace: Millis;
  readonly #owed = new Map<number, Owed>();
  readonly #counts = new LineLedger([
    "refusals",
    "crcErrors",
    "shortFrames",
    "lateReplies",
    "unexpectedSenders",
    "noiseBytes",
  ]);

  /** @param grace how long after its time-out an answer may still come. */
  constructor(grace: Millis) {
    this.#grace = grace;
  }

  asked({ unit }: Expectation): void {
    this.#counts.asked(unit);
  }

  answered({ unit }: Expectation, frame: Buffer): void {
    const isRefusal = (frame.readUInt8(1) & EXCEPTION_FLAG) !== 0;
    this.#counts.answered(unit, isRefusal ? "by-refusal" : "rightly");
    // Units answer in the order they are asked: what it owed it will not pay any more.
    this.#owed.delete(unit);
  }

  /** The request found no right answer, or nobody waits for it any more. */
  failed(expected: Expectation, how: "silent" | "broken", now: Uptime): void {
    this.#counts.failed(expected.unit, how);
    this.#owed.set(expected.unit, { functionCode: expected.functionCode, until: after(now, this.#grace) });
  }

  echoed(): void {
    this.#counts.echoed();
  }

  /** Until when a request must wait because the unit owes an answer that looks the same; `undefined`: it need not. */
  owedUntil({ unit, functionCode }: Expectation): Uptime | undefined {
    const owed = this.#owed.get(unit);
    // Refusals of one function look the same whatever the length of its answers.
    return owed?.functionCode === functionCode ? owed.until : undefined;
  }

  /**
   * Counts what was on the line beside the answer. `expected`: whose answer is still waited for; says whether what was
   * there can only have been that answer, broken.
   */
  noteRemains({ frames, broken }: Remains, expected: Expectation | undefined): "broken-answer" | "nothing" {
    const isFrameOurs = frames.map((frame) => this.#noteFrame(frame, expected));
    const isRunOurs = broken.map((run) => this.#noteBroken(run, expected));
    return isFrameOurs.includes(true) || isRunOurs.includes(true) ? "broken-answer" : "nothing";
  }

  health(): BusHealth {
    return this.#counts.health();
  }

  #noteFrame(frame: Buffer, expected: Expectation | undefined): boolean {
    const unit = frame.readUInt8(0);
    const functionCode = frame.readUInt8(1) & 0x7f;
    if (this.#owed.get(unit)?.functionCode === functionCode) {
      this.#counts.count("lateReplies");
      this.#owed.delete(unit);
      return false;
    }
    if (expected?.unit === unit && expected.functionCode === functionCode) {
      this.#counts.count("shortFrames");
      return true;
    }
    this.#counts.count("unexpectedSenders");
    return false;
  }

  #noteBroken(run: Buffer, expected: Expectation | undefined): boolean {
    const begins = expected !== undefined && run[0] === expected.unit && run.length < expected.length;
    if (begins) this.#counts.count("shortFrames");
    else if (run.length >= RTU_FRAME_MIN) this.#counts.count("crcErrors");
    else this.#counts.count("noiseBytes", run.length);
    return begins || run.length >= RTU_FRAME_MIN;
  }
}
