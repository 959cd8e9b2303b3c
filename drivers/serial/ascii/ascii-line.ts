import { DeviceFault } from "../../../domain/errors.ts";
import type { BusHealth } from "../../../domain/line/line-health.ts";
import type { Clock, Millis } from "../../../domain/time.ts";
import type { FrameSink } from "../../driver.ts";
import { scheduleGiveUp } from "../../give-up.ts";
import type { ByteLine } from "../../line/byte-line.ts";
import { LineLedger } from "../../line/line-ledger.ts";
import { LineLoss } from "../../line/line-loss.ts";
import { AskedQuestion, type Judge, type OwedAnswer } from "./asked-question.ts";
import { frameOf } from "./frame-cutter.ts";
import type { Framing } from "./framing.ts";
import { Hearing } from "./hearing.ts";

export interface AsciiLineParts {
  readonly bytes: ByteLine;
  readonly clock: Clock;
  readonly requestTimeout: Millis;
  /** Least silence before a question, after whatever came last. */
  readonly rest: Millis;
  readonly frames: FrameSink;
}

export interface AsciiQuestion {
  readonly unit: number;
  readonly text: string;
  readonly framing: Framing;
  /** For people and logs. */
  readonly label: string;
}

/** One text line at a time over a shared serial line, and the answer that is wanted. */
export class AsciiLine {
  readonly #parts: AsciiLineParts;
  readonly #loss: LineLoss;
  readonly #ledger = new LineLedger([
    "refusals",
    "shortFrames",
    "lateReplies",
    "unexpectedSenders",
    "noiseBytes",
  ]);
  /** The question before, as long as its answer is owed; it is listened for until the next is asked. */
  #owed: OwedAnswer | undefined;
  #stopListening = (): void => {};

  constructor(parts: AsciiLineParts) {
    this.#parts = parts;
    this.#loss = new LineLoss(parts.bytes);
  }

  health(): BusHealth {
    return this.#ledger.health();
  }

  close(): void {
    this.#stopListening();
  }

  /**
   * The first answer that `judge` makes something of; others are passed over until the time is up.
   * @throws {DeviceFault} `timeout`, `malformed-reply` when only broken or foreign frames came, `connection-lost`.
   */
  async ask<Answer>(
    question: AsciiQuestion,
    judge: Judge<Answer>,
    signal: AbortSignal,
  ): Promise<Answer | "refused"> {
    const { bytes, clock, requestTimeout, rest } = this.#parts;
    const { unit, label, framing } = question;
    signal.throwIfAborted();
    // A late answer to the question before is read away, never taken for the next one.
    this.#stopListening();
    await bytes.discard();
    await clock.sleep(rest, signal);
    const asked = new AskedQuestion({ label, judge }, this.#ledger, this.#owed);
    const hearing = new Hearing(this.#parts, framing, (frame) => asked.take(frame));
    this.#stopListening = () => this.#ledger.count("noiseBytes", hearing.stop());
    const onAbort = (): void => asked.giveUp(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    const stopWatching = this.#loss.onLost((cause) =>
      asked.giveUp(new DeviceFault("connection-lost", label, { cause })),
    );
    let cancel = (): void => {};
    this.#owed = asked;
    try {
      await this.#send(question, signal);
      cancel = scheduleGiveUp(clock, requestTimeout, () => {
        if (hearing.dropHeld() === "short-frame") asked.noteBroken("shortFrames");
        this.#ledger.failed(unit, asked.heard === "broken" ? "broken" : "silent");
        asked.expire();
      });
      const answer = await asked.answer;
      this.#takeAnswer(unit, answer === "refused" ? "by-refusal" : "rightly");
      return answer;
    } catch (error) {
      asked.giveUp(error);
      throw error;
    } finally {
      cancel();
      stopWatching();
      signal.removeEventListener("abort", onAbort);
    }
  }

  async #send({ unit, text, framing }: AsciiQuestion, signal: AbortSignal): Promise<void> {
    const frame = frameOf(text, framing);
    this.#parts.frames("sent", frame);
    // From now on a checksum can be wrong; where there is none nobody would know.
    if (framing.checksum !== undefined) this.#ledger.count("crcErrors", 0);
    this.#ledger.asked(unit);
    await this.#parts.bytes.write(frame, signal);
  }

  #takeAnswer(unit: number, how: "rightly" | "by-refusal"): void {
    this.#ledger.answered(unit, how);
    this.#owed = undefined;
    this.#stopListening();
    this.#stopListening = () => {};
  }
}
