/**
 * A loop that lives as long as its signal: `run` resolves once aborted and put away, and rejects only if it
 * can not go on. There is no start/stop pair, so no half-started state.
 */
export interface LoopService {
  readonly name: string;
  run(signal: AbortSignal): Promise<void>;
}
