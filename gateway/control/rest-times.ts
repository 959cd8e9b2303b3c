import type { CommandState } from "../../domain/command.ts";
import type { DeviceId, PointId } from "../../domain/ids.ts";
import { after, type Clock, Millis, since, type Uptime } from "../../domain/time.ts";
import type { PointIndex, PointOfDevice } from "../site/site.ts";
import type { CommandLedger } from "../store/store.ts";

/** Commands of the last run that are looked at for what moved just before it ended. */
const REMEMBERED_MAX = 1_000;

/**
 * How long points must still rest that the profile gives a least interval between operations (DOMAIN E.2, rule 15). The
 * pulses of a device rest together: what was just opened is not closed at once. One without interval never waits.
 */
export class RestTimes {
  readonly #points: Pick<PointIndex, "find">;
  readonly #clock: Pick<Clock, "now" | "uptime">;
  /** At most one entry for each such point or device of the site. */
  readonly #until = new Map<PointId | DeviceId, Uptime>();

  constructor(points: Pick<PointIndex, "find">, clock: Pick<Clock, "now" | "uptime">) {
    this.#points = points;
    this.#clock = clock;
  }

  /** A restart is no way round a rest. Where the wall clock went back meanwhile, the whole interval is waited. */
  remember(ledger: Pick<CommandLedger, "recent">): void {
    for (const { command, state, settledAt } of ledger.recent(REMEMBERED_MAX)) {
      if (settledAt === null || !mayHaveMoved(state)) continue;
      this.#rest(command.pointId, Millis(Math.max(0, this.#clock.now() - settledAt)));
    }
  }

  /** Called with the end of an operation. */
  note(pointId: PointId, end: CommandState): void {
    if (mayHaveMoved(end)) this.#rest(pointId, Millis(0));
  }

  /** 0: it may move. */
  left(found: PointOfDevice): Millis {
    if (found.point.definition.minInterval === undefined) return Millis(0);
    const until = this.#until.get(restsAs(found));
    return until === undefined ? Millis(0) : Millis(Math.max(0, since(this.#clock.uptime(), until)));
  }

  #rest(pointId: PointId, already: Millis): void {
    const found = this.#points.find(pointId);
    const interval = found?.point.definition.minInterval;
    if (found === undefined || interval === undefined || interval <= already) return;
    const until = after(this.#clock.uptime(), Millis(interval - already));
    const before = this.#until.get(restsAs(found));
    if (before === undefined || before < until) this.#until.set(restsAs(found), until);
  }
}

function restsAs({ device, point }: PointOfDevice): PointId | DeviceId {
  return point.definition.pulse === undefined ? point.id : device.id;
}

function mayHaveMoved({ name }: CommandState): boolean {
  return name === "succeeded" || name === "outcome-unknown";
}
