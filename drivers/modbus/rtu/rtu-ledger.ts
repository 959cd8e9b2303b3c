import type { Millis, Uptime } from "../../../domain/time.ts";
import { after } from "../../../domain/time.ts";
import type { BusHealth } from "../../driver.ts";
import { type Expectation, RTU_FRAME_MIN } from "./rtu-frame.ts";
import type { Remains } from "./rtu-reader.ts";

/** What a unit still owes: it may come at any moment, and looks like an answer to the next request of its kind. */
interface Owed {
  readonly functionCode: number;
  readonly until: Uptime;
}

type Counts = { -readonly [Name in Exclude<keyof BusHealth, "hints">]: number };

const HINT_ECHO =
  "The adapter repeats what it sends. The repetition is removed here, but doubles the reading: switch the adapter's local echo off.";
const HINT_SENDER =
  "Frames came from units that were not asked: look for two units with one address, or a second gateway on this line.";
const HINT_CRC =
  "More than 1 in 100 answers is damaged: check termination (120 ohm at both ends), shield, and that speed and parity are the units' own.";
const CRC_SHARE_MAX = 0.01;
const REQUESTS_MIN = 100;

/** Counts what happens on one RTU line, and remembers which units (247 at most) owe an answer. */
export class RtuLedger {
  readonly #grace: Millis;
  readonly #owed = new Map<number, Owed>();
  readonly #failed = new Set<number>();
  readonly #counts: Counts = {
    requests: 0,
    answers: 0,
    retries: 0,
    silences: 0,
    crcErrors: 0,
    shortFrames: 0,
    lateReplies: 0,
    unexpectedSenders: 0,
    noiseBytes: 0,
  };
  #echoes = 0;

  /** @param grace how long after its time-out an answer may still come. */
  constructor(grace: Millis) {
    this.#grace = grace;
  }

  asked({ unit }: Expectation): void {
    this.#counts.requests += 1;
    if (this.#failed.has(unit)) this.#counts.retries += 1;
  }

  answered({ unit }: Expectation): void {
    this.#counts.answers += 1;
    this.#failed.delete(unit);
    // Units answer in the order they are asked: what it owed it will not pay any more.
    this.#owed.delete(unit);
  }

  /** The request found no right answer, or nobody waits for it any more. */
  failed(expected: Expectation, how: "silent" | "broken", now: Uptime): void {
    if (how === "silent") this.#counts.silences += 1;
    this.#failed.add(expected.unit);
    this.#owed.set(expected.unit, { functionCode: expected.functionCode, until: after(now, this.#grace) });
  }

  echoed(): void {
    this.#echoes += 1;
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
    const { requests, crcErrors, unexpectedSenders } = this.#counts;
    const hints: string[] = [];
    if (this.#echoes > 0) hints.push(HINT_ECHO);
    if (unexpectedSenders > 0) hints.push(HINT_SENDER);
    if (requests >= REQUESTS_MIN && crcErrors > requests * CRC_SHARE_MAX) hints.push(HINT_CRC);
    return { ...this.#counts, hints };
  }

  #noteFrame(frame: Buffer, expected: Expectation | undefined): boolean {
    const unit = frame.readUInt8(0);
    const functionCode = frame.readUInt8(1) & 0x7f;
    if (this.#owed.get(unit)?.functionCode === functionCode) {
      this.#counts.lateReplies += 1;
      this.#owed.delete(unit);
      return false;
    }
    if (expected?.unit === unit && expected.functionCode === functionCode) {
      this.#counts.shortFrames += 1;
      return true;
    }
    this.#counts.unexpectedSenders += 1;
    return false;
  }

  #noteBroken(run: Buffer, expected: Expectation | undefined): boolean {
    const begins = expected !== undefined && run[0] === expected.unit && run.length < expected.length;
    if (begins) this.#counts.shortFrames += 1;
    else if (run.length >= RTU_FRAME_MIN) this.#counts.crcErrors += 1;
    else this.#counts.noiseBytes += run.length;
    return begins || run.length >= RTU_FRAME_MIN;
  }
}
