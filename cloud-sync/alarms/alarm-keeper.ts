import type { Logger } from "pino";
import type { GatewayId, PointId } from "../../domain/ids.ts";
import type { LoopService } from "../../domain/service.ts";
import { type Clock, Seconds, since, type Uptime } from "../../domain/time.ts";
import { alarmSeverity, isAlarmPoint } from "../store/alarm-points.ts";
import type { CenterEvents, CenterHints } from "../store/center-events.ts";
import type { Database } from "../store/database.ts";
import {
  type AlarmChange,
  clearDeviceAlarms,
  listBooleanNames,
  listUncleared,
  listUnraised,
  listUnraisedOf,
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
/** Points noted of a gateway between two looks; more make the next look one at all of its points. */
const NOTED_MAX = 20_000;

/** Of one gateway, of the points that tell of trouble: which became true, and whether one became anything else. */
interface Noted {
  readonly trueIds: Set<PointId>;
  falseOnes: "none" | "some";
}

/**
 * Raises an alarm while a point that tells of trouble is true, and clears it when it is false again (ISA-18.2). It follows
 * current state only: history never raises anything (I9), and what is unknown leaves an alarm as it was. A condition that
 * came and went between two looks stands in the point's history and raises nothing.
 */
export class AlarmKeeper implements LoopService {
  readonly name = "alarm-keeper";
  readonly #parts: AlarmKeeperParts;
  #noted = new Map<GatewayId, Noted>();
  /** Gateways whose points are to be looked at all: they told a catalogue, or more was noted than is kept. */
  #whole = new Set<GatewayId>();
  #names: ReadonlySet<string> = new Set();
  #readAt: Uptime | null = null;

  constructor(parts: AlarmKeeperParts) {
    this.#parts = parts;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { events, clock, logger } = this.#parts;
    const stops = [
      events.on("state-changed", (hint) => this.#note(hint)),
      events.on("catalogue-changed", ({ gatewayId }) => this.#whole.add(gatewayId)),
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
    const { database, clock } = this.#parts;
    const [noted, whole] = [this.#noted, this.#whole];
    this.#noted = new Map();
    this.#whole = new Set();
    const now = clock.uptime();
    const isTime = this.#readAt === null || since(this.#readAt, now) >= REREAD;
    if (isTime || whole.size > 0) {
      const all = await listBooleanNames(database);
      this.#names = new Set(all.filter((name) => isAlarmPoint({ name, type: "boolean" })));
    }
    if (isTime) {
      this.#readAt = now;
      await this.#lookAtAll(null);
      return;
    }
    for (const gatewayId of whole) await this.#lookAtAll(gatewayId);
    for (const [gatewayId, { trueIds, falseOnes }] of noted) {
      if (whole.has(gatewayId)) continue;
      const raised = trueIds.size === 0 ? [] : await listUnraisedOf(database, gatewayId, [...trueIds]);
      await this.#keep(raised, falseOnes === "none" ? [] : await listUncleared(database, gatewayId));
    }
  }

  /** `null`: at the points of all gateways. */
  async #lookAtAll(gatewayId: GatewayId | null): Promise<void> {
    const { database } = this.#parts;
    const raised = await listUnraised(database, { gatewayId, names: [...this.#names] });
    await this.#keep(raised, await listUncleared(database, gatewayId));
  }

  async #keep(raised: readonly AlarmChange[], cleared: readonly AlarmChange[]): Promise<void> {
    const { database, events } = this.#parts;
    if (raised.length === 0 && cleared.length === 0) return;
    await database.transaction(async (tx) => {
      if (cleared.length > 0) await clearDeviceAlarms(tx, cleared);
      const alarms = raised.map((change) => ({ ...change, severity: alarmSeverity(change.name) }));
      if (alarms.length > 0) await raiseDeviceAlarms(tx, alarms);
    });
    for (const gatewayId of gatewaysOf([...raised, ...cleared])) events.tell("alarms-changed", { gatewayId });
  }

  #note({ gatewayId, pointIds, trueIds }: CenterHints["state-changed"]): void {
    if (this.#whole.has(gatewayId)) return;
    const noted = this.#noted.get(gatewayId) ?? { trueIds: new Set(), falseOnes: "none" };
    this.#noted.set(gatewayId, noted);
    const isTrue = new Set(trueIds);
    for (const id of pointIds) {
      if (!this.#names.has(id.slice(id.indexOf("/") + 1))) continue;
      if (isTrue.has(id)) noted.trueIds.add(id);
      else noted.falseOnes = "some";
    }
    if (noted.trueIds.size > NOTED_MAX) this.#whole.add(gatewayId);
  }
}

function gatewaysOf(changes: readonly AlarmChange[]): ReadonlySet<GatewayId> {
  return new Set(changes.map((change) => change.gateway_id));
}
