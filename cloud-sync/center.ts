import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Logger } from "pino";
import type { RandomSource } from "../domain/random.ts";
import type { LoopService } from "../domain/service.ts";
import { runServices } from "../domain/service.ts";
import type { Clock } from "../domain/time.ts";
import { signCommand } from "../domain/wire/downlink.ts";
import { AccessTokens } from "./access/access-tokens.ts";
import { ensureFirstToken } from "./access/first-token.ts";
import { AlarmKeeper } from "./alarms/alarm-keeper.ts";
import { AlarmService } from "./alarms/alarm-service.ts";
import { openOnPort, readChosenPorts, writeChosenPorts } from "./chosen-ports.ts";
import { CommandService } from "./dispatch/command-service.ts";
import { CommandStepper, type DispatchParts } from "./dispatch/command-stepper.ts";
import { CommandVerdicts } from "./dispatch/command-verdicts.ts";
import { Dispatcher } from "./dispatch/dispatcher.ts";
import { FreshReads } from "./dispatch/fresh-reads.ts";
import { commandsWithin, PostgresCommandLedger } from "./dispatch/postgres-command-ledger.ts";
import { type GatewayListener, openGatewayListener } from "./http/gateway-listener.ts";
import { CenterView } from "./http/operators/center-view.ts";
import { EventHub } from "./http/operators/event-hub.ts";
import { type OperatorListener, openOperatorListener } from "./http/operators/operator-listener.ts";
import { HistoryAdmission } from "./ingest/history-admission.ts";
import { Housekeeping } from "./ingest/housekeeping.ts";
import { Ingest } from "./ingest/ingest.ts";
import { PostgresIngestLedger } from "./ingest/postgres-ingest-ledger.ts";
import { CertificateAuthority } from "./registry/certificate-authority.ts";
import { DownlinkRegistry } from "./registry/downlinks.ts";
import { Enrolment } from "./registry/enrolment.ts";
import { LinkWatch } from "./registry/link-watch.ts";
import { LiveLinks } from "./registry/live-links.ts";
import { readSecret, writeSecret } from "./registry/secret-files.ts";
import { openCommandKey, openTimeKey, type SigningKey } from "./registry/signing-keys.ts";
import { SyncRegister } from "./registry/sync-register.ts";
import { InProcessCenterEvents } from "./store/center-events.ts";
import { openCenterStore } from "./store/center-store.ts";
import type { Database } from "./store/database.ts";
import { openEmbeddedPostgres } from "./store/embedded-postgres.ts";
import { readGeneration } from "./store/generation-file.ts";
import { PointBook } from "./store/points/point-book.ts";

const DATABASE_FOLDER = "postgres";

export interface CenterOptions {
  /** Keys, tokens, generation, and the embedded database; made when it is not there. */
  readonly dataFolder: string;
  /** `empty`: keys, tokens and the embedded database are removed first; not with a PostgreSQL of one's own. Default `kept`. */
  readonly begin?: "kept" | "empty";
  /** A PostgreSQL of one's own; null: the embedded one. */
  readonly databaseUrl: string | null;
  readonly operators: {
    readonly host: string;
    readonly port: number;
    /** PEM; null: plain HTTP. */
    readonly tls: { readonly key: string; readonly certificate: string } | null;
  };
  readonly gateways: { readonly host: string; readonly port: number };
  /** Under which gateways reach this center; the first stands in claims. */
  readonly publicNames: readonly string[];
  readonly clock: Clock;
  /** The system's: tokens come from it. */
  readonly random: RandomSource;
  readonly logger: Logger;
}

export interface Center extends AsyncDisposable {
  /** `http://host:port`, without a slash at the end. */
  readonly operatorsUrl: string;
  readonly gatewaysUrl: string;
  /** Holds the first admin's token. */
  readonly tokenFile: string;
  /** Resolves once aborted and put away. @throws when the center can not go on. */
  run(signal: AbortSignal): Promise<void>;
}

/** Opens all of it, or nothing. After a restart all it knows is in the database and the data folder. */
export async function openCenter(options: CenterOptions, signal: AbortSignal): Promise<Center> {
  const { dataFolder, clock, logger } = options;
  // The database's own user must get through; every secret in there has its own mode.
  mkdirSync(dataFolder, { recursive: true, mode: 0o711 });
  await using begun = new AsyncDisposableStack();
  const storage = await openStorage(options, begun, signal);
  // The database's lock is ours by now: no other center uses this folder.
  if (options.begin === "empty") removeAllBut(dataFolder, DATABASE_FOLDER);
  const keys = await openKeys(dataFolder, clock);
  const core = buildCore(options, { ...keys, database: storage.database });
  await core.register.recover();
  const tokens = new AccessTokens({ ...options, database: storage.database });
  const tokenFile = join(dataFolder, "operator-token");
  const made = await ensureFirstToken(tokens, {
    read: () => readSecret(tokenFile),
    write: (text) => writeSecret(tokenFile, text),
  });
  if (made === "made") logger.info({ tokenFile }, "made an admin's token");
  const listeners = await openListeners(options, core, tokens, begun);
  const held = begun.move();
  return {
    operatorsUrl: listeners.operatorsUrl,
    gatewaysUrl: listeners.gatewaysUrl,
    tokenFile,
    run: (stop) => runServices([...core.services, storage.watch], stop),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

interface Storage {
  readonly database: Database;
  /** Ends the center when its database is gone. */
  readonly watch: LoopService;
}

async function openStorage(
  options: CenterOptions,
  begun: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<Storage> {
  const { dataFolder, databaseUrl, clock, logger } = options;
  let connectionString = databaseUrl;
  let lost: AbortSignal | null = null;
  if (connectionString === null) {
    const server = begun.use(
      await openEmbeddedPostgres({
        dataFolder: join(dataFolder, DATABASE_FOLDER),
        ...(options.begin !== undefined && { begin: options.begin }),
        clock,
        logger,
        signal,
      }),
    );
    ({ connectionString, lost } = server);
  }
  const database = begun.use(await openCenterStore({ connectionString, logger, clock }));
  const run = (stop: AbortSignal): Promise<void> => untilLost(lost, stop);
  return { database, watch: { name: "database", run } };
}

function removeAllBut(folder: string, kept: string): void {
  const names = readdirSync(folder).filter((name) => name !== kept);
  for (const name of names) rmSync(join(folder, name), { recursive: true, force: true });
}

function untilLost(lost: AbortSignal | null, stop: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (lost?.aborted === true) reject(lost.reason);
      else if (stop.aborted) resolve();
    };
    lost?.addEventListener("abort", look, { once: true });
    stop.addEventListener("abort", look, { once: true });
    look();
  });
}

interface Keys {
  readonly authority: CertificateAuthority;
  readonly commandKey: SigningKey;
  readonly timeKey: SigningKey;
}

async function openKeys(dataFolder: string, clock: Clock): Promise<Keys> {
  const folder = join(dataFolder, "keys");
  return {
    authority: await CertificateAuthority.open(folder, clock),
    commandKey: await openCommandKey(folder),
    timeKey: await openTimeKey(folder),
  };
}

type Core = ReturnType<typeof buildCore>;

/** Everything between the listeners and the database. */
function buildCore(options: CenterOptions, parts: Keys & { readonly database: Database }) {
  const { clock, logger, random, dataFolder } = options;
  const { database, authority, commandKey, timeKey } = parts;
  const generation = readGeneration(dataFolder);
  const events = new InProcessCenterEvents();
  const links = new LiveLinks(clock);
  const downlinks = new DownlinkRegistry();
  const base = { database, clock, events, logger };
  const register = new SyncRegister({ ...base, generation, timeKey: timeKey.privateKey, links, downlinks });
  const verdicts = new CommandVerdicts(commandsWithin, { clock, generation });
  const book = new PointBook(database, clock);
  const ledger = new PostgresIngestLedger(database, verdicts, book);
  const admission = new HistoryAdmission(clock);
  const ingestParts = { ...base, ledger, sessions: register, admission };
  const publicKeys = { commandKey: commandKey.publicKey, timeKey: timeKey.publicKey };
  const enrolment = new Enrolment({ database, authority, clock, downlinks, ...publicKeys });
  const reader = new PostgresCommandLedger(database);
  const dispatch: DispatchParts = {
    ledger: reader,
    links,
    downlinks,
    clock,
    random,
    generation,
    sign: (frame) => signCommand(frame, commandKey.privateKey),
  };
  const stepper = new CommandStepper(dispatch);
  const reads = new FreshReads({ database, links, downlinks, clock, random });
  const view = new CenterView(database, { links, book, clock, reads });
  const hub = new EventHub({ events, view, reader, clock, logger });
  const services = [
    new LinkWatch(register, { clock, logger }),
    new Housekeeping({ database, clock, logger }),
    new Dispatcher(dispatch, stepper, { events, logger }),
    hub,
    new AlarmKeeper(base),
  ];
  const commands = new CommandService(dispatch, stepper, events);
  const ingest = new Ingest(ingestParts);
  const gatewayParts = { ...ingestParts, ingest, register, enrolment, downlinks, reads, authority };
  return {
    register,
    gatewayParts,
    services,
    operatorParts: {
      ...base,
      links,
      view,
      enrolment,
      commands,
      reader,
      reads,
      hub,
      alarms: new AlarmService(base),
    },
  };
}

interface Listeners {
  readonly operatorsUrl: string;
  readonly gatewaysUrl: string;
}

async function openListeners(
  options: CenterOptions,
  core: Core,
  tokens: AccessTokens,
  begun: AsyncDisposableStack,
): Promise<Listeners> {
  const { dataFolder, publicNames } = options;
  const last = readChosenPorts(dataFolder);
  const { host } = options.gateways;
  const names = [...publicNames, ...(isAnyAddress(host) ? [] : [host])];
  const openGateways = (port: number): Promise<GatewayListener> =>
    openGatewayListener(core.gatewayParts, { host, port, names });
  const gateways = begun.use(await openOnPort(options.gateways.port, last.gateways, openGateways));
  const gatewaysUrl = `https://${inUrl(publicNames[0] ?? reachable(host))}:${gateways.port}`;
  const parts = { ...core.operatorParts, tokens, gatewaysUrl };
  const openOperators = (port: number): Promise<OperatorListener> =>
    openOperatorListener(parts, { ...options.operators, port });
  const operators = begun.use(await openOnPort(options.operators.port, last.operators, openOperators));
  writeChosenPorts(dataFolder, { operators: operators.port, gateways: gateways.port });
  const scheme = options.operators.tls === null ? "http" : "https";
  return {
    operatorsUrl: `${scheme}://${inUrl(reachable(options.operators.host))}:${operators.port}`,
    gatewaysUrl,
  };
}

function isAnyAddress(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

function reachable(host: string): string {
  return isAnyAddress(host) ? hostname() : host;
}

function inUrl(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
