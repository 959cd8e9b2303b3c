import type { Clock, Uptime } from "../../domain/time.ts";
import { after, Seconds } from "../../domain/time.ts";
import type { FrameSink } from "../../drivers/driver.ts";
import type { BusFrame } from "./field-plan.ts";

const FRAMES_MAX = 500;
const ASKED_FOR = Seconds(60);

/** The last 500 raw frames of a bus, kept only while somebody looks: the oldest gives way. */
export class FrameRing {
  readonly #clock: Clock;
  readonly #frames: (BusFrame | undefined)[] = [];
  #next = 0;
  #until: Uptime | null = null;
  readonly #keeps: "bytes" | "times-and-lengths";

  /** `times-and-lengths`: every byte is kept as 0, for the bus carries names of persons. */
  constructor(clock: Clock, keeps: "bytes" | "times-and-lengths") {
    this.#clock = clock;
    this.#keeps = keeps;
  }

  /** For {@link DriverContext.frames}. Costs one comparison while nobody looks; copies, for a driver may reuse its buffer. */
  readonly sink: FrameSink = (direction, bytes) => {
    if (this.#until === null) return;
    if (this.#clock.uptime() > this.#until) return this.#stop();
    const kept = this.#keeps === "bytes" ? Uint8Array.from(bytes) : new Uint8Array(bytes.length);
    this.#frames[this.#next] = { direction, at: this.#clock.now(), bytes: kept };
    this.#next = (this.#next + 1) % FRAMES_MAX;
  };

  /** What was kept, oldest first; keeps on for 60 s more. */
  read(): readonly BusFrame[] {
    this.#until = after(this.#clock.uptime(), ASKED_FOR);
    const inOrder = [...this.#frames.slice(this.#next), ...this.#frames.slice(0, this.#next)];
    return inOrder.filter((frame) => frame !== undefined);
  }

  #stop(): void {
    this.#until = null;
    this.#frames.length = 0;
    this.#next = 0;
  }
}
