import type { PointNumber } from "../../../domain/ids.ts";
import type { PointChange } from "../../../domain/reading.ts";
import type { Clock } from "../../../domain/time.ts";
import type { FieldPlan, FieldReport, FieldReportSink } from "../field-plan.ts";
import { isPolled } from "../unit/unit-points.ts";

const CHANGES_MAX = 1_000;

/** Says of every point of a group that its host is down: once an outage, however often the host falls meanwhile. */
export class OutageTeller {
  readonly #points: readonly PointNumber[];
  readonly #clock: Clock;
  readonly #sink: FieldReportSink;
  #isTold = false;

  constructor(plan: FieldPlan, clock: Clock, sink: FieldReportSink) {
    const points = plan.buses.flatMap((bus) => bus.units.flatMap((unit) => unit.points));
    this.#points = points.filter((point) => isPolled(point.definition)).map((point) => point.number);
    this.#clock = clock;
    this.#sink = sink;
  }

  /** For the host's reports: passes them on, and knows by them that an outage is over. */
  readonly sink: FieldReportSink = (report: FieldReport) => {
    if (report.kind === "changes") this.#isTold = false;
    this.#sink(report);
  };

  tell(): void {
    if (this.#isTold) return;
    this.#isTold = true;
    const at = this.#clock.now();
    for (let first = 0; first < this.#points.length; first += CHANGES_MAX) {
      const changes = this.#points.slice(first, first + CHANGES_MAX).map(
        (point): PointChange => ({
          point,
          value: null,
          quality: "bad/no-communication",
          cause: "field-host-down",
          gatewayTimestamp: at,
          sourceTimestamp: null,
        }),
      );
      this.#sink({ kind: "changes", changes });
    }
  }
}
