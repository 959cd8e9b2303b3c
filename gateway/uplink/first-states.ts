import type { PointNumber } from "../../domain/ids.ts";
import type { StoredReading } from "../../domain/reading.ts";
import type { TelemetryStore } from "../store/store.ts";

/**
 * The control state of a gateway that reads its devices for the first time since its start: it is told as it comes, and before all else,
 * until each point of it was read once. Listens to the commits; to be closed.
 */
export class FirstStates {
  readonly #telemetry: Pick<TelemetryStore, "latest" | "onCommit">;
  readonly #control: ReadonlySet<PointNumber>;
  readonly #awaited = new Set<PointNumber>();
  /** Read, and not taken since. */
  readonly #fresh = new Set<PointNumber>();
  /** State versions that were taken. */
  readonly #taken = new Map<PointNumber, number>();
  readonly #complete = Promise.withResolvers<void>();
  readonly #stop: () => void;

  /** `control`: polled points, so that each is read or told to be silent some day. */
  constructor(telemetry: Pick<TelemetryStore, "latest" | "onCommit">, control: readonly PointNumber[]) {
    this.#telemetry = telemetry;
    this.#control = new Set(control);
    for (const point of control) {
      const latest = telemetry.latest(point);
      if (latest !== undefined) this.#fresh.add(point);
      if (latest === undefined || isOfLastRun(latest)) this.#awaited.add(point);
    }
    this.#stop = telemetry.onCommit((readings) => this.#note(readings));
    this.#check();
  }

  /** Points that were not read yet. */
  get missing(): number {
    return this.#awaited.size;
  }

  /** Resolves when each point was read once. */
  get complete(): Promise<void> {
    return this.#complete.promise;
  }

  /** What was read since it was taken last. */
  take(): readonly StoredReading[] {
    const readings = [...this.#fresh].flatMap((point) => this.#telemetry.latest(point) ?? []);
    this.#fresh.clear();
    for (const { point, stateVersion } of readings) this.#taken.set(point, stateVersion);
    return readings;
  }

  wasTaken({ point, stateVersion }: StoredReading): boolean {
    return this.#taken.get(point) === stateVersion;
  }

  close(): void {
    this.#stop();
  }

  #note(readings: readonly StoredReading[]): void {
    for (const reading of readings) {
      const { point } = reading;
      if (!this.#control.has(point)) continue;
      if (!isOfLastRun(reading)) this.#awaited.delete(point);
      this.#fresh.add(point);
    }
    this.#check();
  }

  #check(): void {
    if (this.missing === 0) this.#complete.resolve();
  }
}

/** What was known before the gateway was restarted, and was not read since. */
function isOfLastRun({ cause }: StoredReading): boolean {
  return cause === "gateway-restarted";
}
