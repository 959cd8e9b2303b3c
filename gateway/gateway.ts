import { uptime as secondsSinceBoot } from "node:os";
import type { Logger } from "pino";
import type { RandomSource } from "../domain/random.ts";
import { type LoopService, runServices } from "../domain/service.ts";
import { type Clock, Millis } from "../domain/time.ts";
import { type Catalogue, catalogueHash } from "../domain/wire/catalogue.ts";
import { MqttBroker } from "./broker/mqtt-broker.ts";
import { readPasswordFile } from "./broker/password-file.ts";
import { catalogueOf } from "./catalogue.ts";
import { CenterReads } from "./control/center-reads.ts";
import { CommandControl } from "./control/command-control.ts";
import { CounterTotals, withCounterTotals } from "./counter-totals.ts";
import { type BuiltField, buildField } from "./field/build-field.ts";
import { FieldBoard } from "./field-board.ts";
import { type FieldPlans, makeFieldPlans } from "./field-plans.ts";
import { Housekeeping } from "./housekeeping.ts";
import { withKnownHoles } from "./known-holes.ts";
import { openLocalApi } from "./local-api/local-api.ts";
import { withPseudonymKey } from "./pseudonym-key.ts";
import { doubtLastRun } from "./restart-doubt.ts";
import { numberSite } from "./site/number-site.ts";
import { PointIndex, type Site, type UnnumberedSite } from "./site/site.ts";
import { openStore } from "./store/open-store.ts";
import type { Store } from "./store/store.ts";
import type { TelemetryThread } from "./store/writing/telemetry-thread.ts";
import { openAxiosTransport } from "./uplink/axios-transport.ts";
import { ClockTrust } from "./uplink/clock-trust.ts";
import type { GatewayIdentity } from "./uplink/identity.ts";
import { TokenBook } from "./uplink/token-book.ts";
import { Uplink } from "./uplink/uplink.ts";

export interface GatewayParts {
  readonly site: UnnumberedSite;
  /** `null`: not enrolled, so the gateway works alone. */
  readonly identity: GatewayIdentity | null;
  readonly hosting: "processes" | "in-process";
  /** Name and version, as HELLO and `nerve status` tell it. */
  readonly software: string;
  /** Shared by the gateways of one process; default: one of this gateway's own. */
  readonly telemetryThread?: TelemetryThread;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly logger: Logger;
}

/** A gateway that is built and bound; it polls, obeys and tells while {@link run} does, and its store closes with it. */
export interface Gateway extends LoopService {
  /** Its gateway id. */
  readonly name: string;
  readonly socketPath: string;
  readonly mqtt: { readonly host: string; readonly port: number };
}

/** @throws {StoreError | BrokerAddressError | LocalApiError | PasswordFileError} each with what to do; nothing stays open then. */
export async function openGateway(parts: GatewayParts): Promise<Gateway> {
  const { clock, random, logger, software } = parts;
  await using opened = new AsyncDisposableStack();
  const store = opened.use(await openStore({ folder: parts.site.dataFolder }, parts));
  const core = buildCore(parts, store);
  const { site, points, control, field, board, uplink } = core;
  const users = await readPasswordFile(site.broker.passwordFile);
  const { telemetry } = store;
  const broker = new MqttBroker({
    siteId: site.siteId,
    settings: site.broker,
    users,
    findPoint: (number) => points.findByNumber(number),
    latestAll: () => telemetry.latestAll(),
    onCommit: (listener) => telemetry.onCommit(listener),
    orders: control,
    onState: (listener) => control.onState(listener),
    clock,
    logger,
  });
  opened.use(broker);
  const mqtt = await broker.open();
  const api = await openLocalApi({
    site,
    points,
    store,
    orders: control,
    field: field.field,
    figures: () => board.figures(),
    fieldHosts: () => field.hosts(),
    link: uplink === null ? null : () => uplink.service.status(),
    broker: () => mqtt,
    confirmedAt: (number) => board.confirmedAt(core.plans.sweepOf(number)),
    software,
    clock,
    random,
    logger,
  });
  opened.move();
  return joined({ core, store, outer: [broker, api], socketPath: api.socketPath, mqtt });
}

interface Core {
  readonly site: Site;
  readonly points: PointIndex;
  readonly plans: FieldPlans;
  readonly board: FieldBoard;
  readonly field: BuiltField;
  readonly control: CommandControl;
  readonly uplink: { readonly service: Uplink; readonly transport: Disposable } | null;
  readonly housekeeping: Housekeeping;
}

function buildCore(parts: GatewayParts, store: Store): Core {
  const { clock, random, logger, hosting, identity } = parts;
  const site = numberSite(parts.site, (ids) => store.telemetry.numberPoints(ids));
  const points = new PointIndex(site);
  const plans = makeFieldPlans(site);
  const trust = new ClockTrust(clock, store.sync.safeTime());
  store.useTimeQuality(() => trust.quality());
  doubtLastRun(store.telemetry, clock);
  const totals = new CounterTotals(site.devices, (number) => store.telemetry.latest(number));
  const board = new FieldBoard(
    { accept: (changes) => store.telemetry.accept(totals.told(changes)) },
    store.holes,
  );
  const built = buildField({
    plans: withKnownHoles(withPseudonymKey(plans.plans, site), store.holes),
    hosting,
    clock,
    logger,
    sink: board.take,
  });
  const field = { ...built, field: withCounterTotals(built.field, totals) };
  // CLOCK_MONOTONIC stands still in suspend, the boot clock does not.
  const tokens = new TokenBook(clock, random, () => Millis(secondsSinceBoot() * 1_000));
  const control = new CommandControl({
    gatewayId: site.gatewayId,
    points,
    store,
    runner: field.field,
    freshness: {
      mintedAt: (token, session) => tokens.mintedAt(token, session),
      currentSession: () => tokens.session,
    },
    commandKey: () => identity?.commandKey ?? null,
    clock,
    logger,
  });
  control.settleUnfinished();
  const catalogue = (): Catalogue => catalogueOf(site, plans, store.telemetry.numberedPoints());
  const base = {
    site,
    points,
    plans,
    board,
    field,
    control,
    housekeeping: new Housekeeping(store, trust, clock),
  };
  const uplink = buildUplink(parts, { ...base, store, tokens, trust, catalogue });
  return { ...base, uplink };
}

function buildUplink(
  parts: GatewayParts,
  core: Omit<Core, "uplink"> & {
    readonly store: Store;
    readonly tokens: TokenBook;
    readonly trust: ClockTrust;
    readonly catalogue: () => Catalogue;
  },
): Core["uplink"] {
  const { identity, clock, random, logger, software } = parts;
  const { site, store, tokens, trust, catalogue, control, board, points, field } = core;
  if (site.center === undefined || identity === null) return null;
  const transport = openAxiosTransport(site.center.url, identity);
  const reads = new CenterReads({ points, runner: field.field, store, clock, logger });
  const service = new Uplink({
    store,
    transport,
    tokens,
    catalogue: { content: catalogue, hash: catalogueHash(catalogue()) },
    sweeps: () => board.sweeps(),
    // What can be commanded is a point's control state; it is told before measurements.
    rank: (number) => (points.findByNumber(number)?.point.definition.commandClass === undefined ? 1 : 0),
    onCommand: (frame) => void control.submitFromCenter(frame),
    onRead: (frame, stop) => reads.read(frame, stop),
    onWelcome: (welcome, nonce) => {
      if (trust.judge(welcome, nonce, identity.timeKey) === undefined)
        logger.error("the center's time was not signed by its key");
    },
    timeQuality: () => trust.quality(),
    software,
    reconnect: { min: site.center.reconnectMin, max: site.center.reconnectMax },
    clock,
    random,
    logger,
  });
  return { service, transport };
}

/**
 * The way down: first nobody may ask any more, then what runs on a bus comes to its end, then field and uplink
 * stop, and last the store, when all that was told is durable.
 */
function joined(parts: {
  readonly core: Core;
  readonly store: Store;
  readonly outer: readonly LoopService[];
  readonly socketPath: string;
  readonly mqtt: Gateway["mqtt"];
}): Gateway {
  const { core, store, outer, socketPath, mqtt } = parts;
  const inner: readonly LoopService[] = [
    ...core.field.services,
    ...(core.uplink === null ? [] : [core.uplink.service]),
    core.housekeeping,
  ];
  return {
    name: core.site.gatewayId,
    socketPath,
    mqtt,
    run: (signal) => runToTheEnd({ core, store, outer, inner }, signal),
  };
}

async function runToTheEnd(
  parts: {
    readonly core: Core;
    readonly store: Store;
    readonly outer: readonly LoopService[];
    readonly inner: readonly LoopService[];
  },
  signal: AbortSignal,
): Promise<void> {
  const { core, store, outer, inner } = parts;
  const lower = new AbortController();
  const above = async (): Promise<void> => {
    try {
      await runServices(outer, AbortSignal.any([signal, lower.signal]));
    } finally {
      await core.control.shutDown();
      lower.abort(new Error("the gateway is stopping"));
    }
  };
  const below = async (): Promise<void> => {
    try {
      await runServices(inner, lower.signal);
    } finally {
      lower.abort(new Error("the field stopped"));
    }
  };
  const ends = await Promise.allSettled([above(), below()]);
  core.uplink?.transport[Symbol.dispose]();
  await store[Symbol.asyncDispose]();
  const failed = ends.find((end) => end.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
