import type { Logger } from "pino";
import type { CriticalFile } from "../critical-file.ts";
import type { StoreDatabase } from "../database.ts";
import type { EvidenceLog } from "../evidence-log.ts";
import type { Ballast } from "../space/ballast.ts";
import type { Retention } from "../space/retention.ts";
import type { FileHealth, Store, StoreError } from "../store.ts";
import type { StoreSyncLedger } from "../sync-ledger.ts";
import type { TelemetryLog } from "../telemetry-log.ts";
import type { WriteGuard } from "../write-guard.ts";
import type { TelemetryLink } from "../writing/telemetry-link.ts";
import type { StoreOwner } from "./store-owner.ts";
import type { TimeQualitySource } from "./time-quality-source.ts";

export interface StoreParts
  extends Pick<
    Store,
    "incarnation" | "openedAt" | "lineage" | "findings" | "commands" | "desired" | "holes"
  > {
  readonly evidence: EvidenceLog;
  readonly telemetry: TelemetryLog;
  readonly sync: StoreSyncLedger;
  readonly critical: CriticalFile;
  readonly reader: StoreDatabase;
  readonly link: TelemetryLink;
  readonly retention: Retention;
  readonly guard: WriteGuard;
  readonly ballast: Ballast;
  readonly logger: Logger;
  readonly timeQuality: TimeQualitySource;
  readonly owner: StoreOwner;
}

/** Both files open, with everything that lives between opening and closing. */
export class OpenedStore implements Store {
  readonly incarnation: Store["incarnation"];
  readonly openedAt: Store["openedAt"];
  readonly lineage: Store["lineage"];
  readonly findings: Store["findings"];
  readonly evidence: Store["evidence"];
  readonly commands: Store["commands"];
  readonly telemetry: Store["telemetry"];
  readonly sync: Store["sync"];
  readonly desired: Store["desired"];
  readonly holes: Store["holes"];
  readonly #parts: StoreParts;
  #closed: Promise<void> | undefined;

  constructor(parts: StoreParts) {
    this.incarnation = parts.incarnation;
    this.openedAt = parts.openedAt;
    this.lineage = parts.lineage;
    this.findings = parts.findings;
    this.evidence = parts.evidence;
    this.commands = parts.commands;
    this.telemetry = parts.telemetry;
    this.sync = parts.sync;
    this.desired = parts.desired;
    this.holes = parts.holes;
    this.#parts = parts;
  }

  onEvidence(hint: () => void): () => void {
    return this.#parts.evidence.onAppend(hint);
  }

  onTelemetry(hint: () => void): () => void {
    return this.#parts.telemetry.onHint(hint);
  }

  useTimeQuality(source: Parameters<Store["useTimeQuality"]>[0]): void {
    this.#parts.timeQuality.use(source);
  }

  async runRetention(now: Parameters<Store["runRetention"]>[0]): ReturnType<Store["runRetention"]> {
    await this.#parts.ballast.keep();
    return this.#parts.retention.run(now);
  }

  health(): ReturnType<Store["health"]> {
    const { critical, telemetry, sync, retention, guard, ballast } = this.#parts;
    return {
      critical: healthOf(guard.refusal("critical"), critical.failure),
      telemetry: healthOf(guard.refusal("telemetry"), telemetry.failure),
      detail: (guard.refusalOfAny ?? critical.failure ?? telemetry.failure)?.message ?? null,
      ballastReleased: ballast.released,
      unstored: telemetry.unstored,
      pressure: retention.pressure,
      quarantined: sync.quarantined,
    };
  }

  /** Verifies all that was not told yet; broken entries go to quarantine. */
  scanBacklog(): void {
    this.#parts.sync.scan();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    await this.#closed;
  }

  async #close(): Promise<void> {
    const { telemetry, link, reader, critical, retention, owner, guard, logger } = this.#parts;
    try {
      await telemetry.close();
      if (critical.failure === undefined && guard.refusalOfAny === undefined) retention.rememberHighWater();
      reader.close();
      await link.close().catch((error: unknown) => {
        if (telemetry.failure === undefined) throw error;
        logger.warn({ err: error }, "telemetry.db keeps its WAL");
      });
    } finally {
      critical.close();
      owner.release();
    }
  }
}

function healthOf(refusal: StoreError | undefined, failure: StoreError | undefined): FileHealth {
  if (refusal !== undefined) return "read-only";
  return failure === undefined ? "durable" : "failing";
}
