import { uptime as secondsSinceBoot } from "node:os";
import type { Logger } from "pino";
import type { RandomSource } from "../domain/random.ts";
import { type LoopService, runServices } from "../domain/service.ts";
import { type Clock, Millis } from "../domain/time.ts";
import { type Catalogue, catalogueHash } from "../domain/wire/catalogue.ts";
import { MqttBroker } from "./broker/mqtt-broker.ts";
import { readPasswordFile } from "./broker/password-file.ts";
import { catalogueOf } from "./catalogue.ts";
import { CenterLink, type OpenUplink } from "./center-link.ts";
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
import { tellingOrderOf } from "./telling-order.ts";
import { openAxiosTransport } from "./uplink/axios-transport.ts";
import { ClockTrust } from "./uplink/clock-trust.ts";
import { Enrolment } from "./uplink/enrolment.ts";
import type { GatewayIdentity } from "./uplink/identity.ts";
import { TokenBook } from "./uplink/token-book.ts";
import { Uplink } from "./uplink/uplink.ts";

export interface GatewayParts {
  readonly site: UnnumberedSite;
  /** `null`: not enrolled yet; the gateway works alone until it is. */
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
  const store = opened.use(await openStore({ folder: parts.site.dataFolder, ...parts.site.store }, parts));
  const core = buildCore(parts, store);
  const { site, points, control, field, board, link } = core;
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
    link: link === null ? null : () => link.status(),
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
  /** `null`: the site has no center. */
  readonly link: CenterLink | null;
  readonly housekeeping: Housekeeping;
}

function buildCore(parts: GatewayParts, store: Store): Core {
  const { clock, random, logger, hosting } = parts;
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
  // Asked for only when an order of the center comes, and that comes over the link.
  let link: CenterLink | null = null;
  const control = new CommandControl({
    gatewayId: site.gatewayId,
    points,
    store,
    runner: field.field,
    freshness: {
      mintedAt: (token, session) => tokens.mintedAt(token, session),
      currentSession: () => tokens.session,
    },
    commandKey: () => link?.commandKey ?? null,
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
    housekeeping: new Housekeeping(store, trust, { clock, logger }),
  };
  link = buildLink(parts, { ...base, store, tokens, trust, catalogue });
  return { ...base, link };
}

/** What the uplink tells of and hands orders to. */
type LinkedCore = Omit<Core, "link"> & {
  readonly store: Store;
  readonly tokens: TokenBook;
  readonly trust: ClockTrust;
  readonly catalogue: () => Catalogue;
};

function buildLink(parts: GatewayParts, core: LinkedCore): CenterLink | null {
  const { identity, clock, random, logger } = parts;
  const { center, gatewayId, dataFolder } = core.site;
  if (center === undefined) return null;
  const reconnect = { min: center.reconnectMin, max: center.reconnectMax };
  const enrolment = new Enrolment({ gatewayId, dataFolder, reconnect, clock, random, logger });
  return new CenterLink(identity, enrolment, (own) =>
    openUplink(parts, core, { url: center.url, identity: own, reconnect }),
  );
}

function openUplink(
  parts: GatewayParts,
  core: LinkedCore,
  way: {
    readonly url: string;
    readonly identity: GatewayIdentity;
    readonly reconnect: { readonly min: Millis; readonly max: Millis };
  },
): OpenUplink {
  const { clock, random, logger, software } = parts;
  const { url, identity, reconnect } = way;
  const { site, plans, store, tokens, trust, catalogue, control, board, points, field } = core;
  const transport = openAxiosTransport(url, identity);
  const reads = new CenterReads({ points, runner: field.field, store, clock, logger });
  const service = new Uplink({
    store,
    transport,
    tokens,
    catalogue: { content: catalogue, hash: catalogueHash(catalogue()) },
    sweeps: () => board.sweeps(),
    order: tellingOrderOf(site, plans),
    onCommand: (frame) => void control.submitFromCenter(frame),
    onRead: (frame, stop) => reads.read(frame, stop),
    onWelcome: (welcome, nonce) => {
      if (trust.judge(welcome, nonce, identity.timeKey) === undefined)
        logger.error("the center's time was not signed by its key");
    },
    timeQuality: () => trust.quality(),
    software,
    reconnect,
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
    ...(core.link === null ? [] : [core.link]),
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
  await store[Symbol.asyncDispose]();
  const failed = ends.find((end) => end.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
