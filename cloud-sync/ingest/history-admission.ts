import { type Clock, Millis, Seconds } from "../../domain/time.ts";

/** Batches of history that are taken at once, of all gateways together (PROTOCOL §3). */
const AT_ONCE = 4;
/** Current state goes first for so long; then a batch of history has its turn all the same, well before its gateway gives it up (15 s). */
const WAIT_MAX = Seconds(8);
/** A gateway that comes back tells what it reads every 500 ms: between two of its tellings the map is not right yet. */
const STATE_HOLDS = Millis(750);
/** More hold too much memory: they are taken as they come. */
const WAITING_MAX = 64;

/**
 * When a city comes back, every gateway has a backlog: it is taken while nothing current waits, a few batches at a time, so that
 * the map is right first. Within one gateway its own shares say the same; this is between gateways.
 */
export class HistoryAdmission {
  readonly #clock: Pick<Clock, "schedule">;
  /** Longest waiting first. */
  readonly #waiting = new Set<() => void>();
  #current = 0;
  #history = 0;

  constructor(clock: Pick<Clock, "schedule">) {
    this.#clock = clock;
  }

  /** Live batches: never waits. */
  async current<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#current += 1;
    try {
      return await work();
    } finally {
      this.#end();
    }
  }

  /** Catalogues and snapshots of gateways that came back: never waits, and history waits a while longer, for more of it is coming. */
  async state<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#current += 1;
    try {
      return await work();
    } finally {
      this.#clock.schedule(STATE_HOLDS, () => this.#end());
    }
  }

  async history<Result>(work: () => Promise<Result>): Promise<Result> {
    if (!this.#isFree() && this.#waiting.size < WAITING_MAX) await this.#turn();
    this.#history += 1;
    try {
      return await work();
    } finally {
      this.#history -= 1;
      this.#admit();
    }
  }

  async #turn(): Promise<void> {
    await new Promise<void>((resolve) => {
      const enter = (): void => {
        cancel();
        this.#waiting.delete(enter);
        resolve();
      };
      const cancel = this.#clock.schedule(WAIT_MAX, enter);
      this.#waiting.add(enter);
    });
  }

  #end(): void {
    this.#current -= 1;
    this.#admit();
  }

  #isFree(): boolean {
    return this.#current === 0 && this.#history < AT_ONCE;
  }

  /** One: it admits the next when it is done, unless something current came. */
  #admit(): void {
    const [first] = this.#waiting;
    if (first !== undefined && this.#isFree()) first();
  }
}
