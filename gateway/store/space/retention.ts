import type { TelemetryLane } from "../../../domain/lane.ts";
import { Days, Hours, Instant, type Millis } from "../../../domain/time.ts";
import type { EventBody } from "../../../domain/wire/record-kinds.ts";
import { intersection, settled, without } from "../acknowledgements.ts";
import type { CriticalFile } from "../critical-file.ts";
import { LANE_CODES } from "../incarnations.ts";
import type { RetentionReport } from "../store.ts";
import { LaneSpace } from "./lane-space.ts";
import { endOf, isAtLeast, nextPressure, type Pressure } from "./pressure.ts";
import { type Thinned, Thinner, type ThinnerParts } from "./thinner.ts";
import { WINDOW, windowOf } from "./thinning.ts";

/** Records that the center holds stay at least this long, PROTOCOL §5. */
const KEEP_MIN = Hours(24);
const KEEP_COMMANDS = Days(35);
export const KEEP_HISTORY_DEFAULT = Days(35);
export const QUOTA_BYTES_DEFAULT = 4 * 1024 ** 3;
/** Settled commands forgotten by one run. */
const FORGET_MAX = 1_000;
/** Lane C younger than this is thinned from `thin-live` on only. */
const LIVE = Hours(1);

export interface RetentionParts extends Omit<ThinnerParts, "space"> {
  readonly critical: CriticalFile;
  readonly keepHistory: Millis;
}

type Counts = { -readonly [Name in Exclude<keyof RetentionReport, "usedShare" | "pressure">]: number };

/** Decides what leaves telemetry.db; the worker removes it. Lane A is no business of it (I13). */
export class Retention {
  readonly #parts: RetentionParts;
  readonly #space: LaneSpace;
  readonly #thinner: Thinner;
  #pressure: Pressure = "none";

  constructor(parts: RetentionParts) {
    this.#parts = parts;
    this.#space = new LaneSpace(parts);
    this.#thinner = new Thinner({ ...parts, space: this.#space });
  }

  /** At the beginning of the last run. */
  get pressure(): Pressure {
    return this.#pressure;
  }

  /** @throws {StoreError} `not-durable` while the disk does not take the removals: nothing was counted as removed. */
  async run(now: Instant): Promise<RetentionReport> {
    const counts = { aged: 0, pressed: 0, gaps: 0, thinned: 0, retold: 0 };
    counts.aged = await this.#space.removeAll(this.#aged(now), { until: 0, declare: "held-by-center" });
    this.#notePressure();
    if (isAtLeast(this.#pressure, "drop")) await this.#drop(counts);
    if (isAtLeast(this.#pressure, "thin")) await this.#thin(now, counts);
    if (isAtLeast(this.#pressure, "least")) await this.#keepLeast(now, counts);
    this.#forgetCommands(now);
    this.rememberHighWater();
    return { ...counts, usedShare: this.#space.usedShare(), pressure: this.#pressure };
  }

  /** Notes in critical.db how far each telemetry lane came: all that is known of it if telemetry.db is lost. */
  rememberHighWater(): void {
    const { critical, lanes } = this.#parts;
    const put = critical.statement(
      `insert into high_water values (?, ?, ?, ?)
       on conflict do update set highest = excluded.highest, settled_through = excluded.settled_through`,
    );
    critical.transaction(() => {
      for (const { incarnation, lane, highest, acknowledgement } of lanes.pages()) {
        const [start] = settled(acknowledgement);
        const through = start?.first === 1 ? start.count : 0;
        if (lane !== "A") put.run(incarnation.number, LANE_CODES[lane], highest, through);
      }
    });
  }

  /** The alarm is told when the level changes, which it does at most once a run. */
  #notePressure(): void {
    const share = this.#space.usedShare();
    const before = this.#pressure;
    this.#pressure = nextPressure(before, share);
    if (this.#pressure !== before) this.#parts.log.order({ events: [alarmOf(this.#pressure, share)] });
  }

  async #drop(counts: Counts): Promise<void> {
    const until = endOf("drop");
    const held = { until, declare: "held-by-center" } as const;
    counts.pressed += await this.#space.removeAll(this.#space.held("D"), held);
    counts.gaps += await this.#space.removeAll(this.#untold("D"), { until, declare: "gap" });
    counts.pressed += await this.#space.removeAll(this.#space.held("C"), held);
  }

  async #thin(now: Instant, counts: Counts): Promise<void> {
    note(counts, await this.#thinner.thinReadings(windowBefore(now - LIVE), endOf("thin")));
    if (!isAtLeast(this.#pressure, "thin-live")) return;
    note(counts, await this.#thinner.thinReadings(windowBefore(now), endOf("thin-live")));
  }

  /** The last of lane C goes only when lane B is as small as it gets: then the quota still has to hold for lane A. */
  async #keepLeast(now: Instant, counts: Counts): Promise<void> {
    const until = endOf("least");
    counts.pressed += await this.#space.removeAll(this.#space.held("B"), {
      until,
      declare: "held-by-center",
    });
    note(counts, await this.#thinner.thinStates(now, until));
    counts.gaps += await this.#space.removeAll(this.#untold("C"), { until, declare: "gap" });
  }

  /** The center repeats no command that old (K1 wait 24 h at most); its fence stays for ever. */
  #forgetCommands(now: Instant): void {
    const { critical } = this.#parts;
    const forget = critical.statement(
      `delete from commands where position in
         (select position from commands where settled_at_ms < ? order by position limit ?)`,
    );
    critical.transaction(() => forget.run(now - KEEP_COMMANDS, FORGET_MAX));
  }

  #aged(now: Instant): ReturnType<LaneSpace["candidates"]> {
    return (["D", "B", "C"] as const).flatMap((lane) => {
      const age = lane === "D" ? KEEP_MIN : Math.max(KEEP_MIN, this.#parts.keepHistory);
      return this.#space.candidates(lane, (page) =>
        intersection(page.acknowledgement.confirmed, this.#space.olderThan(page, Instant(now - age))),
      );
    });
  }

  #untold(lane: TelemetryLane): ReturnType<LaneSpace["candidates"]> {
    return this.#space.candidates(lane, ({ acknowledgement, highest }) =>
      without([{ first: 1, count: highest }], settled(acknowledgement)),
    );
  }
}

/** Begin of the window of `at`: only whole windows are thinned. */
function windowBefore(at: number): Instant {
  return Instant(windowOf(at) * WINDOW);
}

function note(counts: Counts, { given, retold }: Thinned): void {
  counts.thinned += given;
  counts.retold += retold;
}

const MEANINGS = {
  none: { severity: "low", means: "nothing gives way any more" },
  warn: { severity: "low", means: "nothing gives way yet" },
  drop: { severity: "medium", means: "diagnostics give way, then readings that the center holds" },
  thin: {
    severity: "high",
    means:
      "readings that were told to nobody give way but for least, greatest and last of 15 min, oldest first",
  },
  "thin-live": {
    severity: "high",
    means: "all readings give way but for least, greatest and last of 15 min",
  },
  least: { severity: "high", means: "only evidence, alarms, latest states and some readings are kept" },
} as const satisfies Record<Pressure, { severity: "low" | "medium" | "high"; means: string }>;

function alarmOf(pressure: Pressure, share: number): EventBody {
  const { severity, means } = MEANINGS[pressure];
  const used = `the store uses ${Math.round(share * 100)} % of its quota`;
  return {
    kind: "alarm",
    name: "store-pressure",
    active: pressure !== "none",
    severity,
    subject: "store",
    detail: `${pressure}: ${used}; ${means}. Bring back the link to the center, or give the store more room.`,
  };
}
