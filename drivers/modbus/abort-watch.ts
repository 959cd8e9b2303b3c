interface Watched {
  readonly listener: () => void;
  requests: number;
}

/**
 * Listens once to a signal, however many requests carry it: a poll loop hands the same one to a thousand requests
 * a second, and adding and removing a listener for each costs more than the request.
 * Watches at most one signal more than there are requests waiting.
 */
export class AbortWatch {
  readonly #onAbort: (signal: AbortSignal) => void;
  readonly #watched = new Map<AbortSignal, Watched>();

  constructor(onAbort: (signal: AbortSignal) => void) {
    this.#onAbort = onAbort;
  }

  add(signal: AbortSignal): void {
    const known = this.#watched.get(signal);
    if (known !== undefined) {
      known.requests += 1;
      return;
    }
    this.#forget(({ requests }) => requests === 0);
    const listener = (): void => this.#onAbort(signal);
    signal.addEventListener("abort", listener, { once: true });
    this.#watched.set(signal, { listener, requests: 1 });
  }

  /** Goes on listening: the next request mostly carries the same signal. */
  release(signal: AbortSignal): void {
    const known = this.#watched.get(signal);
    if (known !== undefined) known.requests -= 1;
  }

  /** Listens to nothing any more. */
  clear(): void {
    this.#forget(() => true);
  }

  #forget(which: (watched: Watched) => boolean): void {
    for (const [signal, watched] of this.#watched) {
      if (!which(watched)) continue;
      signal.removeEventListener("abort", watched.listener);
      this.#watched.delete(signal);
    }
  }
}
