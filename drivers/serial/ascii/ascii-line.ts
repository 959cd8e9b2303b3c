import { DeviceFault } from "../../../domain/errors.ts";
import { type Clock, Millis } from "../../../domain/time.ts";
import type { FrameSink } from "../../driver.ts";
import type { ByteLine } from "../../line/byte-line.ts";
import { type CutFrame, FrameCutter, frameOf } from "./frame-cutter.ts";
import type { Framing } from "./framing.ts";

export interface AsciiLineParts {
  readonly bytes: ByteLine;
  readonly clock: Clock;
  readonly requestTimeout: Millis;
  /** Least silence before a question, after whatever came last. */
  readonly rest: Millis;
  readonly frames: FrameSink;
}

/** What went over the line since it was opened. */
export interface AsciiCounts {
  readonly brokenFrames: number;
  readonly strayFrames: number;
}

/** One text line at a time over a shared serial line, and the answer that is wanted. */
export class AsciiLine {
  readonly #parts: AsciiLineParts;
  #brokenFrames = 0;
  #strayFrames = 0;

  constructor(parts: AsciiLineParts) {
    this.#parts = parts;
  }

  get counts(): AsciiCounts {
    return { brokenFrames: this.#brokenFrames, strayFrames: this.#strayFrames };
  }

  /**
   * The first answer that `judge` makes something of; others are passed over until the time is up.
   * @throws {DeviceFault} `timeout`, `malformed-reply` when only broken or foreign frames came, `connection-lost`.
   */
  async ask<Answer>(
    question: { readonly text: string; readonly framing: Framing; readonly label: string },
    judge: (text: string) => Answer | undefined,
    signal: AbortSignal,
  ): Promise<Answer> {
    const { bytes, clock, requestTimeout, rest, frames } = this.#parts;
    signal.throwIfAborted();
    // A late answer to the question before is read away, never taken for the next one.
    await bytes.discard();
    await clock.sleep(rest, signal);
    const end = Promise.withResolvers<Answer>();
    end.promise.catch(() => {});
    const collect = new Collector({
      framing: question.framing,
      clock,
      onFrame: (frame) => {
        const answer = this.#judge(frame, judge);
        if (answer !== undefined) end.resolve(answer);
      },
    });
    const broken = this.#brokenFrames + this.#strayFrames;
    const stop = bytes.onBytes((chunk) => {
      frames("received", chunk);
      collect.take(chunk);
    });
    const onAbort = (): void => end.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    void bytes.lost.then((cause) =>
      end.reject(new DeviceFault("connection-lost", question.label, { cause })),
    );
    let cancel = (): void => {};
    try {
      const frame = frameOf(question.text, question.framing);
      frames("sent", frame);
      await bytes.write(frame, signal);
      cancel = clock.schedule(requestTimeout, () => {
        const isStrange = this.#brokenFrames + this.#strayFrames > broken;
        end.reject(new DeviceFault(isStrange ? "malformed-reply" : "timeout", question.label));
      });
      return await end.promise;
    } finally {
      cancel();
      stop();
      collect.close();
      signal.removeEventListener("abort", onAbort);
    }
  }

  #judge<Answer>(frame: CutFrame, judge: (text: string) => Answer | undefined): Answer | undefined {
    if ("defect" in frame) {
      this.#brokenFrames += 1;
      return undefined;
    }
    const answer = judge(frame.text);
    if (answer === undefined) this.#strayFrames += 1;
    return answer;
  }
}

/** Frames out of chunks, with the timer that a framing by silence wants. */
class Collector {
  readonly #cutter: FrameCutter;
  readonly #silence: Millis | undefined;
  readonly #clock: Clock;
  readonly #onFrame: (frame: CutFrame) => void;
  #cancel = (): void => {};

  constructor(parts: {
    readonly framing: Framing;
    readonly clock: Clock;
    readonly onFrame: (frame: CutFrame) => void;
  }) {
    const { end } = parts.framing;
    this.#cutter = new FrameCutter(parts.framing);
    this.#silence = end.by === "silence" ? Millis(end.ms) : undefined;
    this.#clock = parts.clock;
    this.#onFrame = parts.onFrame;
  }

  take(bytes: Uint8Array): void {
    this.#cutter.take(bytes, this.#onFrame);
    if (this.#silence === undefined) return;
    this.#cancel();
    this.#cancel = this.#clock.schedule(this.#silence, () => this.#cutter.endBySilence(this.#onFrame));
  }

  close(): void {
    this.#cancel();
  }
}
