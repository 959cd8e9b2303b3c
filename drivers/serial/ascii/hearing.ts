import { type Clock, Millis } from "../../../domain/time.ts";
import type { FrameSink } from "../../driver.ts";
import type { ByteLine } from "../../line/byte-line.ts";
import { type CutFrame, FrameCutter } from "./frame-cutter.ts";
import type { Framing } from "./framing.ts";

/** Listens to the line: frames out of chunks, with the timer that a framing by silence wants. */
export class Hearing {
  readonly #cutter: FrameCutter;
  readonly #silence: Millis | undefined;
  readonly #clock: Clock;
  readonly #onFrame: (frame: CutFrame) => void;
  readonly #stop: () => void;
  #cancel = (): void => {};

  constructor(
    line: { readonly bytes: ByteLine; readonly clock: Clock; readonly frames: FrameSink },
    framing: Framing,
    onFrame: (frame: CutFrame) => void,
  ) {
    this.#cutter = new FrameCutter(framing);
    this.#silence = framing.end.by === "silence" ? Millis(framing.end.ms) : undefined;
    this.#clock = line.clock;
    this.#onFrame = onFrame;
    this.#stop = line.bytes.onBytes((chunk) => {
      line.frames("received", chunk);
      this.#take(chunk);
    });
  }

  /** The frame that began, if any, is given up. */
  dropHeld(): "short-frame" | "noise" {
    return this.#cutter.reset();
  }

  /** Ends the listening; returns the bytes that belonged to no frame. */
  stop(): number {
    this.#cancel();
    this.#stop();
    return this.#cutter.noiseBytes;
  }

  #take(bytes: Uint8Array): void {
    this.#cutter.take(bytes, this.#onFrame);
    if (this.#silence === undefined) return;
    this.#cancel();
    this.#cancel = this.#clock.schedule(this.#silence, () => this.#cutter.endBySilence(this.#onFrame));
  }
}
