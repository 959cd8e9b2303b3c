import type { BusId, PointId } from "../../domain/ids.ts";
import { compareSessions, parseSession } from "../../domain/session-id.ts";
import { Instant } from "../../domain/time.ts";
import type { CriticalFile, CriticalStatement } from "./critical-file.ts";
import {
  type Desired,
  type DesiredValues,
  type HoleMemory,
  type RememberedHoles,
  StoreError,
} from "./store.ts";

/** The wanted half of the twin, kept in memory too: it is asked for with every view of a device. */
export class CriticalDesired implements DesiredValues {
  readonly #file: CriticalFile;
  readonly #values: Map<PointId, Desired>;
  readonly #put: CriticalStatement<never>;

  constructor(file: CriticalFile) {
    this.#file = file;
    const rows = file
      .statement<{ point_id: string; desired: string }>("select point_id, desired from desired")
      .all();
    this.#values = new Map(rows.map((row) => [row.point_id as PointId, JSON.parse(row.desired) as Desired]));
    this.#put = file.statement(
      "insert into desired values (?, ?) on conflict do update set desired = excluded.desired",
    );
  }

  set(pointId: PointId, desired: Desired): void {
    this.#file.transaction(() => this.#put.run(pointId, JSON.stringify(desired)));
    this.#values.set(pointId, desired);
  }

  find(pointId: PointId): Desired | undefined {
    return this.#values.get(pointId);
  }

  all(): ReadonlyMap<PointId, Desired> {
    return this.#values;
  }
}

/** Single values that outlive an opening. */
export class CriticalSettings {
  readonly #file: CriticalFile;
  readonly #get: CriticalStatement<{ value: string }>;
  readonly #put: CriticalStatement<never>;

  constructor(file: CriticalFile) {
    this.#file = file;
    this.#get = file.statement("select value from settings where name = ?");
    this.#put = file.statement(
      "insert into settings values (?, ?) on conflict do update set value = excluded.value",
    );
  }

  highestSession(): string | null {
    return this.#get.get("highest-session")?.value ?? null;
  }

  /** Never goes back: an older session is a replay (I37). */
  rememberSession(session: string): void {
    const highest = this.highestSession();
    if (highest !== null && compareSessions(parseSession(session), parseSession(highest)) <= 0) return;
    this.#set("highest-session", session);
  }

  safeTime(): Instant {
    return Instant(Number(this.#get.get("safe-time")?.value ?? 0));
  }

  rememberSafeTime(at: Instant): void {
    if (at > this.safeTime()) this.#set("safe-time", String(at));
  }

  #set(name: string, value: string): void {
    this.#file.transaction(() => this.#put.run(name, value));
  }
}

/** Kept among the settings: a few, and only told when they change. */
export class CriticalHoles implements HoleMemory {
  readonly #file: CriticalFile;
  readonly #get: CriticalStatement<{ value: string }>;
  readonly #put: CriticalStatement<never>;

  constructor(file: CriticalFile) {
    this.#file = file;
    this.#get = file.statement("select value from settings where name = ?");
    this.#put = file.statement(
      "insert into settings values (?, ?) on conflict do update set value = excluded.value",
    );
  }

  recall(busId: BusId, unitAddress: string): RememberedHoles | undefined {
    const row = this.#get.get(nameOf(busId, unitAddress));
    return row === undefined ? undefined : (JSON.parse(row.value) as RememberedHoles);
  }

  /** A loss costs a search for the holes, so a failing disk is no reason to stop polling. */
  remember({ busId, unitAddress, fingerprint, holes }: Parameters<HoleMemory["remember"]>[0]): void {
    const kept: RememberedHoles = { fingerprint, holes };
    try {
      this.#file.transaction(() => this.#put.run(nameOf(busId, unitAddress), JSON.stringify(kept)));
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
    }
  }
}

function nameOf(busId: BusId, unitAddress: string): string {
  return `holes/${busId}/${unitAddress}`;
}
