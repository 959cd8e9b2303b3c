import type { GatewayId } from "../../domain/ids.ts";
import type { Clock, Instant, Millis } from "../../domain/time.ts";
import type { CenterEvents } from "../store/center-events.ts";
import type { Database, Transaction } from "../store/database.ts";
import { type AlarmRow, acknowledgeAlarm, lockAlarm, shelveAlarm } from "../store/tables/alarms.ts";
import { appendAudit } from "../store/tables/center-audit.ts";

export interface AlarmServiceParts {
  readonly database: Database;
  readonly events: CenterEvents;
  readonly clock: Clock;
}

/** `unknown`: there is none of this number. `over`: somebody has acknowledged it already, or it has cleared. */
export type AlarmEnd = AlarmRow | "unknown" | "over";

/** What people do about alarms; each goes into the audit. */
export class AlarmService {
  readonly #parts: AlarmServiceParts;

  constructor(parts: AlarmServiceParts) {
    this.#parts = parts;
  }

  /** Somebody has seen it. It stays while it is active, and leaves the list when it is not. */
  acknowledge(
    alarmNo: number,
    by: { readonly actor: string; readonly note: string | null },
  ): Promise<AlarmEnd> {
    return this.#change(
      alarmNo,
      { action: "alarm-acknowledged", actor: by.actor, detail: { note: by.note } },
      {
        may: (alarm) => alarm.acknowledged_at === null,
        write: (tx, at) => acknowledgeAlarm(tx, alarmNo, { ...by, at }),
      },
    );
  }

  /** Not annunciated for a while, say while a crew works on it; the next alarm of the same point neither. */
  shelve(
    alarmNo: number,
    by: { readonly actor: string; readonly reason: string; readonly duration: Millis },
  ): Promise<AlarmEnd> {
    const until = (at: Instant): Instant => (at + by.duration) as Instant;
    const detail = { reason: by.reason, durationMs: by.duration };
    return this.#change(
      alarmNo,
      { action: "alarm-shelved", actor: by.actor, detail },
      {
        may: (alarm) => alarm.cleared_at === null,
        write: (tx, at) => shelveAlarm(tx, alarmNo, { ...by, until: until(at) }),
      },
    );
  }

  unshelve(alarmNo: number, actor: string): Promise<AlarmEnd> {
    return this.#change(
      alarmNo,
      { action: "alarm-unshelved", actor, detail: {} },
      {
        may: (alarm) => alarm.shelved_until !== null,
        write: (tx) => shelveAlarm(tx, alarmNo, { actor, reason: "", until: null }),
      },
    );
  }

  async #change(
    alarmNo: number,
    entry: {
      readonly action: string;
      readonly actor: string;
      readonly detail: Readonly<Record<string, unknown>>;
    },
    change: {
      readonly may: (alarm: AlarmRow) => boolean;
      readonly write: (tx: Transaction, at: Instant) => Promise<void>;
    },
  ): Promise<AlarmEnd> {
    const { database, clock, events } = this.#parts;
    const end = await database.transaction(async (tx): Promise<AlarmEnd> => {
      const alarm = await lockAlarm(tx, alarmNo);
      if (alarm === undefined) return "unknown";
      if (!change.may(alarm)) return "over";
      const at = clock.now();
      await change.write(tx, at);
      const { name, subject, gateway_id: gatewayId } = alarm;
      await appendAudit(tx, {
        ...entry,
        at,
        subject: `alarm ${alarmNo}`,
        detail: { ...entry.detail, name, subject, gatewayId },
      });
      return (await lockAlarm(tx, alarmNo)) ?? "unknown";
    });
    if (typeof end === "object")
      events.tell("alarms-changed", { gatewayId: end.gateway_id as GatewayId | null });
    return end;
  }
}
