import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { IncarnationId, type PointId, type PointNumber } from "../../domain/ids.ts";
import { randomHex } from "../../domain/random.ts";
import { since } from "../../domain/time.ts";
import { CommandRecords, CriticalLedger } from "./command-ledger.ts";
import { CriticalFile } from "./critical-file.ts";
import { CriticalDesired, CriticalHoles, CriticalSettings } from "./critical-values.ts";
import {
  assertSchemaKnown,
  assertSqliteVersion,
  migrate,
  newestSchema,
  openForReading,
  openForWriting,
  type StoreDatabase,
  schemaVersion,
} from "./database.ts";
import { EvidenceLog, findChainBreak, type Stamp } from "./evidence-log.ts";
import { GroupBuilder } from "./group-builder.ts";
import { History } from "./history.ts";
import { type Incarnation, lineageOf, readCounters, readIncarnations } from "./incarnations.ts";
import { LaneBook, readAcknowledgements } from "./lane-book.ts";
import { declareLost } from "./opening/lost-lanes.ts";
import { OpenedStore, type StoreParts } from "./opening/opened-store.ts";
import { lookInto } from "./opening/read-only-store.ts";
import { setAsideIfBroken } from "./opening/sound-file.ts";
import { type StoreOwner, takeOwnership } from "./opening/store-owner.ts";
import { readTelemetryBefore, takeIncarnation } from "./opening/take-incarnation.ts";
import { TimeQualitySource } from "./opening/time-quality-source.ts";
import { KEEP_HISTORY_DEFAULT, QUOTA_BYTES_DEFAULT, Retention } from "./space/retention.ts";
import {
  type ReadOnlyStore,
  type Store,
  type StoreContext,
  StoreError,
  type StoreFinding,
  type StoreOptions,
} from "./store.ts";
import { StoreSyncLedger, SyncView } from "./sync-ledger.ts";
import { TelemetryLog } from "./telemetry-log.ts";
import { readFigures, readStoredTwins, Twins } from "./twins.ts";
import { TelemetryLink } from "./writing/telemetry-link.ts";
import { TelemetryThread } from "./writing/telemetry-thread.ts";

export interface OpenContext extends StoreContext {
  /** Shared by the stores of one process; default: one of this store's own. */
  readonly telemetryThread?: TelemetryThread;
}

const CRITICAL = "critical.db";
const TELEMETRY = "telemetry.db";

/**
 * Opens the store of one gateway: its own incarnation from here on. Everything that a crash, a full disk or a
 * flipped bit left behind is dealt with before it resolves.
 * @throws {StoreError} `sqlite-too-old`, `owned-by-another`, `newer-schema`, `unusable`, `not-durable`
 */
export async function openStore(options: StoreOptions, context: OpenContext): Promise<Store> {
  assertSqliteVersion(context.sqliteVersion);
  mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  const owner = takeOwnership(options.folder);
  try {
    return await openOwned(options, context, owner);
  } catch (error) {
    owner.release();
    throw error;
  }
}

/**
 * Looks into the store of a gateway that need not run, and changes nothing.
 * @throws {StoreError} `sqlite-too-old`, `newer-schema`, `unusable` when there is no store or it is broken.
 */
export function openStoreReadOnly(
  folder: string,
  context: Pick<StoreContext, "clock" | "logger">,
): ReadOnlyStore {
  assertSqliteVersion();
  const critical = openToLook(join(folder, CRITICAL), "critical");
  try {
    const reader = openToLook(join(folder, TELEMETRY), "telemetry");
    const file = new CriticalFile(critical.name, critical, context.logger);
    const incarnations = readIncarnations(critical);
    const counters = [...readCounters(critical), ...readCounters(reader)];
    const lanes = new LaneBook(incarnations, counters, readAcknowledgements(reader));
    const settings = new CriticalSettings(file);
    return lookInto({
      ...{ critical, reader, lineage: lineageOf(incarnations), numbers: readNumbers(reader) },
      commands: new CommandRecords(file),
      desired: new CriticalDesired(file),
      sync: new SyncView({ critical: file, reader, settings, lanes, quotaBytes: QUOTA_BYTES_DEFAULT }),
      twins: new Twins(readStoredTwins(reader), context.clock.uptime()),
      history: new History(reader),
    });
  } catch (error) {
    critical.close();
    throw error;
  }
}

function openToLook(path: string, file: "critical" | "telemetry"): StoreDatabase {
  try {
    const database = openForReading(path);
    assertSchemaKnown(schemaVersion(database), newestSchema(file), path);
    return database;
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw new StoreError("unusable", `reading ${path}`, { cause: error });
  }
}

async function openOwned(options: StoreOptions, context: OpenContext, owner: StoreOwner): Promise<Store> {
  const paths = { critical: join(options.folder, CRITICAL), telemetry: join(options.folder, TELEMETRY) };
  const findings = (["critical", "telemetry"] as const)
    .map((file) => setAsideIfBroken(paths[file], file, context.clock.now()))
    .filter((finding) => finding !== undefined);
  const critical = openForWriting(paths.critical);
  let link: TelemetryLink | undefined;
  try {
    migrate(critical, "critical");
    const broken = findChainBreak(critical);
    if (broken !== undefined)
      findings.push({ file: "critical", setAsideAs: null, reason: `audit chain: ${broken}` });
    const id = IncarnationId(randomHex(context.random, 16));
    const incarnations = takeIncarnation(critical, readTelemetryBefore(paths.telemetry), {
      id,
      openedAt: context.clock.now(),
    });
    const thread = context.telemetryThread ?? new TelemetryThread();
    link = new TelemetryLink(thread, paths.telemetry, incarnations);
    const lastGroup = await link.open();
    const reader = openForReading(paths.telemetry);
    const opened: OpenedFiles = { critical, reader, link, lastGroup, incarnations, findings, owner };
    const store = new OpenedStore(assemble(opened, options, context));
    await tellFindings(store, opened);
    return store;
  } catch (error) {
    await link?.close().catch(() => undefined);
    critical.close();
    throw error;
  }
}

interface OpenedFiles {
  readonly critical: StoreDatabase;
  /** Reads telemetry.db. */
  readonly reader: StoreDatabase;
  readonly link: TelemetryLink;
  readonly lastGroup: number;
  readonly incarnations: readonly Incarnation[];
  readonly findings: readonly StoreFinding[];
  readonly owner: StoreOwner;
}

function assemble(files: OpenedFiles, options: StoreOptions, context: StoreContext): StoreParts {
  const { reader, link, incarnations } = files;
  const { clock, logger } = context;
  const incarnation = currentOf(incarnations);
  const openedAt = clock.uptime();
  const timeQuality = new TimeQualitySource();
  const stamp = (): Stamp => ({
    tWall: clock.now(),
    tMono: since(openedAt, clock.uptime()),
    tq: timeQuality.now(),
  });
  const critical = new CriticalFile(join(options.folder, CRITICAL), files.critical, logger);
  const lanes = new LaneBook(
    incarnations,
    [...readCounters(files.critical), ...readCounters(reader)],
    readAcknowledgements(reader),
  );
  const evidence = new EvidenceLog(critical, incarnation, stamp);
  const ownEvidence = lanes.page(incarnation, "A");
  evidence.onAppend(() => lanes.advance(ownEvidence, evidence.highest));
  critical.checkpointWith(() => checkpoint(link, critical.path, logger));
  const twins = new Twins(readStoredTwins(reader), clock.uptime());
  const builder = new GroupBuilder(
    incarnation.id,
    twins.all(),
    readFigures(reader).get("state_version") ?? 0,
  );
  const telemetry = new TelemetryLog({
    ...{ clock, logger, link, builder, twins, lanes, incarnation, stamp, lastGroup: files.lastGroup },
    history: new History(reader),
    numbers: readNumbers(reader),
  });
  const settings = new CriticalSettings(critical);
  const quotaBytes = options.quotaBytes ?? QUOTA_BYTES_DEFAULT;
  const sync = new StoreSyncLedger({ critical, reader, settings, lanes, log: telemetry, quotaBytes });
  const keepHistory = options.keepHistory ?? KEEP_HISTORY_DEFAULT;
  return {
    ...{ incarnation: incarnation.id, openedAt, lineage: lineageOf(incarnations), findings: files.findings },
    ...{ evidence, telemetry, sync, critical, reader, link, timeQuality, owner: files.owner },
    commands: new CriticalLedger(critical, evidence, incarnation.number),
    desired: new CriticalDesired(critical),
    holes: new CriticalHoles(critical),
    retention: new Retention({
      ...{ critical, reader, lanes, log: telemetry, twins, sync, keepHistory, incarnation, stamp },
    }),
  };
}

/** Audit and gaps for what was lost, then a look at everything not told yet. */
async function tellFindings(store: OpenedStore, files: OpenedFiles): Promise<void> {
  for (const { file, setAsideAs, reason } of files.findings) {
    const detail = `${file}.db: ${reason}; ${setAsideAs === null ? "still in use" : `kept as ${setAsideAs}`}`;
    store.evidence.append({
      kind: "audit",
      action: "store-set-aside",
      actor: "gateway",
      detail: detail.slice(0, 4_096),
    });
  }
  for (const gap of declareLost(files.findings, files.incarnations.slice(0, -1), files.critical)) {
    store.telemetry.appendEvent("B", gap);
  }
  store.scanBacklog();
  await store.telemetry.flush();
}

function checkpoint(link: TelemetryLink, path: string, logger: StoreContext["logger"]): void {
  link
    .checkpoint(path)
    .catch((error: unknown) => logger.warn({ err: error }, "critical.db keeps its WAL for now"));
}

function currentOf(incarnations: readonly Incarnation[]): Incarnation {
  const current = incarnations.at(-1);
  if (current === undefined) throw new RangeError("a store without incarnation");
  return current;
}

function readNumbers(reader: StoreDatabase): Map<PointId, PointNumber> {
  const rows = reader
    .prepare<[], { number: PointNumber; point_id: PointId }>("select number, point_id from points")
    .all();
  return new Map(rows.map((row) => [row.point_id, row.number]));
}
