import type { Logger } from "pino";
import type { GatewayId, PointId } from "../../domain/ids.ts";
import type { LoopService } from "../../domain/service.ts";
import { type Clock, Seconds, since, type Uptime } from "../../domain/time.ts";
import { alarmSeverity, isAlarmPoint } from "../store/alarm-points.ts";
import type { CenterEvents } from "../store/center-events.ts";
import type { Database } from "../store/database.ts";
import {
  type AlarmChange,
  type AlarmScope,
  clearDeviceAlarms,
  listBooleanNames,
  listUncleared,
  listUnraised,
  raiseDeviceAlarms,
} from "../store/tables/device-alarms.ts";

export interface AlarmKeeperParts {
  readonly database: Database;
  readonly events: CenterEvents;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What moved is looked at this often; a burst becomes one look. */
const PERIOD = Seconds(1);
/** Everything is looked at this often, and at the start: a hint that was missed costs no more. */
const REREAD = Seconds(60);
/** Points noted between two looks; more of a gateway makes the next look one at everything. */
const NOTED_MAX = 20_000;

/**
 * Raises an alarm while a point that tells of trouble is true, and clears it when it is false again (ISA-18.2). It follows
 * current state only: history never raises anything (I9), and what is unknown leaves an alarm as it was. A condition that
 * came and went between two looks stands in the point's history and raises nothing.
 */
export class AlarmKeeper implements LoopService {
  readonly name = "alarm-keeper";
  readonly #parts: AlarmKeeperParts;
  #noted = new Map<GatewayId, Set<PointId>>();
  #overflow: "none" | "some" = "none";
  #names: readonly string[] = [];
  #readAt: Uptime | null = null;

  constructor(parts: AlarmKeeperParts) {
    this.#parts = parts;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { events, clock, logger } = this.#parts;
    const stops = [
      events.on("state-changed", ({ gatewayId, pointIds }) => this.#note(gatewayId, pointIds)),
      events.on("catalogue-changed", () => {
        this.#readAt = null;
      }),
    ];
    try {
      while (!signal.aborted) {
        await this.round().catch((err: unknown) => {
          this.#readAt = null;
          logger.error({ err }, "alarms could not be looked after: it is tried again");
        });
        await clock.sleep(PERIOD, signal).catch(() => undefined);
      }
    } finally {
      for (const stop of stops) stop();
    }
  }

  /** One look: at everything when it is time, else at what moved. */
  async round(): Promise<void> {
    const noted = this.#noted;
    this.#noted = new Map();
    const now = this.#parts.clock.uptime();
    if (this.#readAt === null || this.#overflow === "some" || since(this.#readAt, now) >= REREAD) {
      this.#overflow = "none";
      this.#readAt = now;
      const all = await listBooleanNames(this.#parts.database);
      this.#names = all.filter((name) => isAlarmPoint({ name, type: "boolean" }));
      await this.#look({ names: this.#names, named: null });
      return;
    }
    for (const [gatewayId, pointIds] of noted) {
      await this.#look({ names: this.#names, named: { gatewayId, pointIds: [...pointIds] } });
    }
  }

  async #look(scope: AlarmScope): Promise<void> {
    const { database, events } = this.#parts;
    const [raised, cleared] = [await listUnraised(database, scope), await listUncleared(database, scope)];
    if (raised.length === 0 && cleared.length === 0) return;
    await database.transaction(async (tx) => {
      if (cleared.length > 0) await clearDeviceAlarms(tx, cleared);
      const alarms = raised.map((change) => ({ ...change, severity: alarmSeverity(change.name) }));
      if (alarms.length > 0) await raiseDeviceAlarms(tx, alarms);
    });
    for (const gatewayId of gatewaysOf([...raised, ...cleared])) events.tell("alarms-changed", { gatewayId });
  }

  #note(gatewayId: GatewayId, pointIds: readonly PointId[]): void {
    const names = new Set(this.#names);
    const noted = this.#noted.get(gatewayId) ?? new Set();
    for (const id of pointIds) if (names.has(id.slice(id.indexOf("/") + 1))) noted.add(id);
    if (noted.size > NOTED_MAX) this.#overflow = "some";
    else if (noted.size > 0) this.#noted.set(gatewayId, noted);
  }
}

function gatewaysOf(changes: readonly AlarmChange[]): ReadonlySet<GatewayId> {
  return new Set(changes.map((change) => change.gateway_id));
}
