import type { SimulatorClock } from "../clock.ts";

export interface CommWatchOptions {
  readonly clock: SimulatorClock;
  readonly lossMs: () => number;
  /** Called when the heartbeat has stayed away, and again every 30 s until it returns. */
  readonly lost: () => void;
}

const REPEAT_MS = 30_000;

/** Watches the heartbeat from the first one on: a cabinet that never had a gateway misses none. */
export class CommWatch implements Disposable {
  readonly #options: CommWatchOptions;
  #lastBeatMs = 0;
  #state: "unwatched" | "alive" | "lost" = "unwatched";
  #cancel: (() => void) | undefined;

  constructor(options: CommWatchOptions) {
    this.#options = options;
  }

  get link(): "heard" | "lost" {
    return this.#state === "lost" ? "lost" : "heard";
  }

  beat(): void {
    this.#lastBeatMs = this.#options.clock.monotonicMs();
    if (this.#state === "alive") return;
    this.#state = "alive";
    this.#arm(this.#options.lossMs());
  }

  [Symbol.dispose](): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** One timer, which looks again for what is left: a heartbeat costs no timer. */
  #arm(delayMs: number): void {
    this.#cancel?.();
    this.#cancel = this.#options.clock.after(delayMs, () => this.#look());
  }

  #look(): void {
    const { clock, lossMs, lost } = this.#options;
    const leftMs = this.#lastBeatMs + lossMs() - clock.monotonicMs();
    if (leftMs > 0) {
      this.#arm(leftMs);
      return;
    }
    this.#state = "lost";
    this.#arm(REPEAT_MS);
    lost();
  }
}
