import type { ByteLine } from "./byte-line.ts";

/**
 * Tells those who wait for an answer that the line is gone. It listens to `lost` once: a promise keeps every reaction until it
 * settles, so a wait of its own for each request would be kept as long as the line is open, 20 a second and door.
 */
export class LineLoss {
  readonly #listeners = new Set<(cause: unknown) => void>();
  #lost: { readonly cause: unknown } | undefined;

  constructor(line: Pick<ByteLine, "lost">) {
    void line.lost.then((cause) => {
      this.#lost = { cause };
      for (const listener of this.#listeners) listener(cause);
      this.#listeners.clear();
    });
  }

  /** Calls `listener` once, now if the line is gone already. Returns what ends the waiting. */
  onLost(listener: (cause: unknown) => void): () => void {
    if (this.#lost !== undefined) listener(this.#lost.cause);
    else this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
