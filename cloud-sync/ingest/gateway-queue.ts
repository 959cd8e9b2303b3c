/** Batches that may wait for one gateway, the running one included: more than the credits that WELCOME gives. */
const WAITING_MAX = 16;

/** One after the other for one gateway: its row in the database is locked anyway, and waiting there holds connections. */
export class GatewayQueue {
  readonly #tails = new Map<string, { readonly tail: Promise<unknown>; readonly waiting: number }>();

  /** Runs `work` when its turn comes; undefined: too many wait, and `work` is not run. */
  run<Result>(key: string, work: () => Promise<Result>): Promise<Result> | undefined {
    const before = this.#tails.get(key);
    if (before !== undefined && before.waiting >= WAITING_MAX) return undefined;
    const result = (before?.tail ?? Promise.resolve()).then(work);
    const tail = result.then(
      () => this.#leave(key),
      () => this.#leave(key),
    );
    this.#tails.set(key, { tail, waiting: (before?.waiting ?? 0) + 1 });
    return result;
  }

  #leave(key: string): void {
    const now = this.#tails.get(key);
    if (now === undefined) return;
    if (now.waiting <= 1) this.#tails.delete(key);
    else this.#tails.set(key, { tail: now.tail, waiting: now.waiting - 1 });
  }
}
