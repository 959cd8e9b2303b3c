import type { PointChange } from "../../domain/reading.ts";
import { type CancelTimer, type Clock, Millis } from "../../domain/time.ts";
import type { FieldReport, FieldReportSink } from "./field-plan.ts";

const CHANGES_MAX = 1_000;
const WAIT = Millis(50);

/** Collects changes for 50 ms or 1,000, so that crossing to the core stays cheap. */
export class ReportBatcher {
  /** Filters append here; {@link settle} is called after each exchange. */
  readonly changes: PointChange[] = [];
  readonly #clock: Clock;
  readonly #sink: FieldReportSink;
  #cancel: CancelTimer | undefined;

  constructor(clock: Clock, sink: FieldReportSink) {
    this.#clock = clock;
    this.#sink = sink;
  }

  settle(): void {
    if (this.changes.length === 0) return;
    if (this.changes.length >= CHANGES_MAX) this.flush();
    else this.#cancel ??= this.#clock.schedule(WAIT, () => this.flush());
  }

  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    while (this.changes.length > 0) {
      this.#sink({ kind: "changes", changes: this.changes.splice(0, CHANGES_MAX) });
    }
  }

  /** Changes that were before go first. */
  tell(report: FieldReport): void {
    this.flush();
    this.#sink(report);
  }
}
