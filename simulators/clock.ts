/** Time as the simulators need it. Injected, so that a test can hold it still. */
export interface SimulatorClock {
  /** Milliseconds since 1970-01-01T00:00:00Z; may jump. */
  wallMs(): number;
  /** Milliseconds on CLOCK_MONOTONIC: comparable with other processes of the same boot. */
  monotonicMs(): number;
  /** Calls `action` once after `delayMs`; the returned function calls it off. */
  after(delayMs: number, action: () => void): () => void;
}

/** The machine's own time. The only place in the simulators that asks for it. */
export const machineClock: SimulatorClock = {
  wallMs: () => Date.now(),
  monotonicMs: () => {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1_000 + nanoseconds / 1_000_000;
  },
  after: (delayMs, action) => {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
};
