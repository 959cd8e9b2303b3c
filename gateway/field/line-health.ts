import {
  type BusHealth,
  LINE_COUNT_NAMES,
  LINE_COUNTS,
  type LineCounts,
  type LineHealthFigures,
} from "../../domain/line/line-health.ts";

const NONE: LineCounts = { requests: 0, answers: 0, retries: 0, silences: 0 };
const LINE_ERRORS = LINE_COUNT_NAMES.filter((count) => LINE_COUNTS[count].of === "line");
/** Figures are taken every 5 s: 5 minutes. */
const WINDOWS = 60;
const REQUESTS_MIN = 10;

/** Sums a driver's counts over all openings of a line, and judges the last 5 minutes. */
export class LineHealth {
  /** Of the openings that are over. */
  #before = NONE;
  #now: BusHealth | undefined;
  /** Totals at the ends of the last windows, oldest first. */
  readonly #past: LineCounts[] = [NONE];

  /** The counts of this opening, as they stand. */
  note(health: BusHealth | undefined): void {
    if (health !== undefined) this.#now = health;
  }

  /** The line was closed: its driver counts anew. */
  closed(): void {
    if (this.#now === undefined) return;
    this.#before = sum(this.#before, this.#now);
    this.#now = { ...NONE, hints: this.#now.hints };
  }

  /** Ends a window. `null` for a driver that counts nothing. */
  takeFigures(): LineHealthFigures | null {
    if (this.#now === undefined) return null;
    const total = sum(this.#before, this.#now);
    this.#past.push(total);
    const [oldest = NONE] = this.#past;
    if (this.#past.length > WINDOWS) this.#past.shift();
    return { ...total, hints: this.#now.hints, scorePercent: scoreOf(oldest, total) };
  }
}

/** Silence is a unit's and no fault of the line; a retry only follows from what was counted already. */
function scoreOf(then: LineCounts, now: LineCounts): number | null {
  const requests = now.requests - then.requests;
  if (requests < REQUESTS_MIN) return null;
  const errors = LINE_ERRORS.reduce((all, count) => all + (now[count] ?? 0) - (then[count] ?? 0), 0);
  return Math.round(100 * Math.max(0, 1 - errors / requests));
}

/** What neither has seen stays absent. */
function sum(left: LineCounts, right: LineCounts): LineCounts {
  const seen = LINE_COUNT_NAMES.filter((count) => left[count] !== undefined || right[count] !== undefined);
  const sums = seen.map((count) => [count, (left[count] ?? 0) + (right[count] ?? 0)] as const);
  return { ...NONE, ...Object.fromEntries(sums) };
}
