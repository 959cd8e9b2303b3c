import type { LoopService } from "../domain/service.ts";

/**
 * Runs all until `signal` aborts, then waits until each is put away. One that ends before ends the others too.
 * @throws what the first of them rejected with
 */
export async function runServices(services: readonly LoopService[], signal: AbortSignal): Promise<void> {
  const stop = new AbortController();
  const onAbort = (): void => stop.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  const ends = await Promise.allSettled(
    services.map((service) =>
      service.run(stop.signal).finally(() => stop.abort(new Error(`${service.name} ended`))),
    ),
  );
  signal.removeEventListener("abort", onAbort);
  const failed = ends.find((end) => end.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
