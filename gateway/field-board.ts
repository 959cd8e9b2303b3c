import type { BusId } from "../domain/ids.ts";
import type { Uptime } from "../domain/time.ts";
import type { BusFigures, FieldReport } from "./field/field-plan.ts";
import type { HoleMemory, TelemetryStore } from "./store/store.ts";

/** What the field hosts told last: readings go on to the store, sweeps and figures stand here for whoever asks. */
export class FieldBoard {
  readonly #telemetry: Pick<TelemetryStore, "accept">;
  readonly #holes: Pick<HoleMemory, "remember">;
  readonly #sweeps = new Map<number, Uptime>();
  readonly #figures = new Map<BusId, BusFigures>();

  constructor(telemetry: Pick<TelemetryStore, "accept">, holes: Pick<HoleMemory, "remember">) {
    this.#telemetry = telemetry;
    this.#holes = holes;
  }

  readonly take = (report: FieldReport): void => {
    switch (report.kind) {
      case "changes":
        this.#telemetry.accept(report.changes);
        break;
      case "sweeps":
        for (const [sweep, at] of report.sweeps) this.#sweeps.set(sweep, at);
        break;
      case "holes":
        for (const unit of report.units) this.#holes.remember(unit);
        break;
      default:
        for (const figures of report.figures) this.#figures.set(figures.busId, figures);
    }
  };

  /** When the sweep was last complete; `undefined`: not yet, or the point is in none. */
  confirmedAt(sweep: number | null): Uptime | undefined {
    return sweep === null ? undefined : this.#sweeps.get(sweep);
  }

  /** When each sweep was last complete. */
  sweeps(): ReadonlyMap<number, Uptime> {
    return this.#sweeps;
  }

  figures(): readonly BusFigures[] {
    return [...this.#figures.values()];
  }
}
