import type { BusHealth } from "../../drivers/driver.ts";
import type { LineHealthFigures } from "./field-plan.ts";

type Counts = Omit<BusHealth, "hints">;
const NONE: Counts = {
  requests: 0,
  answers: 0,
  retries: 0,
  silences: 0,
  crcErrors: 0,
  shortFrames: 0,
  lateReplies: 0,
  unexpectedSenders: 0,
  noiseBytes: 0,
};
const COUNTS = Object.keys(NONE) as (keyof Counts)[];
/** Figures are taken every 5 s: 5 minutes. */
const WINDOWS = 60;
const REQUESTS_MIN = 10;

/** Sums a driver's counts over all openings of a line, and judges the last 5 minutes. */
export class LineHealth {
  /** Of the openings that are over. */
  #before = NONE;
  #now: BusHealth | undefined;
  /** Totals at the ends of the last windows, oldest first. */
  readonly #past: Counts[] = [NONE];

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
function scoreOf(then: Counts, now: Counts): number | null {
  const requests = now.requests - then.requests;
  if (requests < REQUESTS_MIN) return null;
  const errors = (["crcErrors", "shortFrames", "lateReplies", "unexpectedSenders"] as const).reduce(
    (all, count) => all + now[count] - then[count],
    0,
  );
  return Math.round(100 * Math.max(0, 1 - errors / requests));
}

function sum(left: Counts, right: Counts): Counts {
  return Object.fromEntries(COUNTS.map((count) => [count, left[count] + right[count]])) as unknown as Counts;
}
