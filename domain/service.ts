/**
 * A loop that lives as long as its signal: `run` resolves once aborted and put away, and rejects only if it
 * can not go on. There is no start/stop pair, so no half-started state.
 */
export interface LoopService {
  readonly name: string;
  run(signal: AbortSignal): Promise<void>;
}

/**
 * Runs all until `signal` aborts, then waits until each is put away. One that can not go on ends the others too.
 * @throws what the first of them rejected with.
 */
export async function runServices(services: readonly LoopService[], signal: AbortSignal): Promise<void> {
  const stop = new AbortController();
  const onAbort = (): void => stop.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  const runs = services.map(async (service) => {
    try {
      await service.run(stop.signal);
    } catch (cause) {
      throw new Error(`${service.name} can not go on`, { cause });
    } finally {
      stop.abort(new Error(`${service.name} ended`));
    }
  });
  const ends = await Promise.allSettled(runs);
  signal.removeEventListener("abort", onAbort);
  const failed = ends.find((end) => end.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
