import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { IncarnationId } from "../../domain/ids.ts";
import { randomHex } from "../../domain/random.ts";
import { since } from "../../domain/time.ts";
import { CriticalLedger } from "./command-ledger.ts";
import { CriticalFile } from "./critical-file.ts";
import { CriticalDesired, CriticalHoles, CriticalSettings } from "./critical-values.ts";
import {
  assertSqliteVersion,
  migrate,
  openForReading,
  openForWriting,
  type StoreDatabase,
} from "./database.ts";
import { EvidenceLog, findChainBreak, type Stamp } from "./evidence-log.ts";
import { GroupBuilder } from "./group-builder.ts";
import { History } from "./history.ts";
import { type Incarnation, lineageOf, readCounters } from "./incarnations.ts";
import { LaneBook, readAcknowledgements } from "./lane-book.ts";
import { BALLAST_RELEASED, guardWrites } from "./opening/guard-writes.ts";
import { FILES, readNumbers, storeErrorOf } from "./opening/look-only.ts";
import { declareLost } from "./opening/lost-lanes.ts";
import { OpenedStore, type StoreParts } from "./opening/opened-store.ts";
import { setAsideIfBroken } from "./opening/sound-file.ts";
import { type StoreOwner, takeOwnership } from "./opening/store-owner.ts";
import { readTelemetryBefore, takeIncarnation } from "./opening/take-incarnation.ts";
import { TimeQualitySource } from "./opening/time-quality-source.ts";
import { BALLAST_BYTES_DEFAULT, BALLAST_SHARE_MAX, Ballast } from "./space/ballast.ts";
import { KEEP_HISTORY_DEFAULT, QUOTA_BYTES_DEFAULT, Retention } from "./space/retention.ts";
import type { Store, StoreContext, StoreFinding, StoreOptions } from "./store.ts";
import { freeInside, StoreSyncLedger } from "./sync-ledger.ts";
import { TelemetryLog } from "./telemetry-log.ts";
import { readFigures, readStoredTwins, Twins } from "./twins.ts";
import { DurableCommit } from "./writing/durable-commit.ts";
import { TelemetryLink } from "./writing/telemetry-link.ts";
import { TelemetryThread } from "./writing/telemetry-thread.ts";

export interface OpenContext extends StoreContext {
  /** Shared by the stores of one process; default: one of this store's own. */
  readonly telemetryThread?: TelemetryThread;
}

/**
 * Opens the store of one gateway: its own incarnation from here on. Everything that a crash, a full disk or a
 * flipped bit left behind is dealt with before it resolves.
 * @throws {StoreError} `sqlite-too-old`, `owned-by-another`, `newer-schema`, `unusable`, `not-durable`
 */
export async function openStore(options: StoreOptions, context: OpenContext): Promise<Store> {
  assertSqliteVersion(context.sqliteVersion);
  const { folder, quotaBytes = QUOTA_BYTES_DEFAULT, ballastBytes = BALLAST_BYTES_DEFAULT } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const ballast = new Ballast(folder, Math.min(ballastBytes, Math.floor(quotaBytes * BALLAST_SHARE_MAX)));
  const room = { ballast, released: ballast.isDiskFull() && ballast.release() };
  let owner: StoreOwner | undefined;
  try {
    owner = takeOwnership(folder);
    return await openOwned(options, context, { owner, ...room });
  } catch (error) {
    owner?.release();
    throw storeErrorOf(error, `opening the store in ${folder}`);
  }
}

async function openOwned(
  options: StoreOptions,
  context: OpenContext,
  {
    owner,
    ballast,
    released,
  }: { readonly owner: StoreOwner; readonly ballast: Ballast; readonly released: boolean },
): Promise<Store> {
  const paths = {
    critical: join(options.folder, FILES.critical),
    telemetry: join(options.folder, FILES.telemetry),
  };
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
    const opened = { critical, reader, link, lastGroup, incarnations, findings, owner, ballast };
    const store = new OpenedStore(assemble(opened, options, context));
    if (released) store.evidence.append(BALLAST_RELEASED);
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
  readonly ballast: Ballast;
}

function assemble(files: OpenedFiles, options: StoreOptions, context: StoreContext): StoreParts {
  const { reader, link, incarnations, ballast } = files;
  const { clock, logger } = context;
  const incarnation = currentOf(incarnations);
  const openedAt = clock.uptime();
  const timeQuality = new TimeQualitySource();
  const stamp = (): Stamp => ({
    tWall: clock.now(),
    tMono: since(openedAt, clock.uptime()),
    tq: timeQuality.now(),
  });
  const guard = guardWrites(clock, ballast, () => ({
    evidence: (body) => evidence.append(body),
    event: (body) => telemetry.appendEvent("B", body),
  }));
  const path = join(options.folder, FILES.critical);
  const critical = new CriticalFile(path, files.critical, { logger, guard });
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
    ...{ clock, logger, builder, twins, lanes, incarnation, stamp, lastGroup: files.lastGroup },
    committer: new DurableCommit({ clock, logger, link, guard, ownRoomBytes: () => freeInside(reader) }),
    history: new History(reader),
    numbers: readNumbers(reader),
  });
  const settings = new CriticalSettings(critical);
  const quotaBytes = options.quotaBytes ?? QUOTA_BYTES_DEFAULT;
  const freeBytes = (): number => Math.max(0, ballast.freeBytes() - (ballast.released ? ballast.bytes : 0));
  const sync = new StoreSyncLedger({
    critical,
    reader,
    settings,
    lanes,
    log: telemetry,
    quotaBytes,
    freeBytes,
  });
  const keepHistory = options.keepHistory ?? KEEP_HISTORY_DEFAULT;
  return {
    ...{ incarnation: incarnation.id, openedAt, lineage: lineageOf(incarnations), findings: files.findings },
    ...{ evidence, telemetry, sync, critical, reader, link, timeQuality, owner: files.owner },
    ...{ guard, ballast, logger },
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
