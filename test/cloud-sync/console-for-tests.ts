import { setTimeout as wait } from "node:timers/promises";
import fastify, { type FastifyError } from "fastify";
import { pino } from "pino";
import { AccessTokens } from "../../cloud-sync/access/access-tokens.ts";
import { AlarmKeeper } from "../../cloud-sync/alarms/alarm-keeper.ts";
import { AlarmService } from "../../cloud-sync/alarms/alarm-service.ts";
import { buildConsole } from "../../cloud-sync/console/build-console.ts";
import { CommandService } from "../../cloud-sync/dispatch/command-service.ts";
import { CommandStepper, type DispatchParts } from "../../cloud-sync/dispatch/command-stepper.ts";
import { CommandVerdicts } from "../../cloud-sync/dispatch/command-verdicts.ts";
import { Dispatcher } from "../../cloud-sync/dispatch/dispatcher.ts";
import { FreshReads } from "../../cloud-sync/dispatch/fresh-reads.ts";
import { commandsWithin, PostgresCommandLedger } from "../../cloud-sync/dispatch/postgres-command-ledger.ts";
import { addConsoleRoutes } from "../../cloud-sync/http/console-routes.ts";
import { serveConsole } from "../../cloud-sync/http/console-static.ts";
import { addAlarmRoutes } from "../../cloud-sync/http/operators/alarm-routes.ts";
import { CenterView } from "../../cloud-sync/http/operators/center-view.ts";
import { addCommandRoutes } from "../../cloud-sync/http/operators/command-routes.ts";
import { OperatorGuard } from "../../cloud-sync/http/operators/operator-guard.ts";
import { OPERATOR_PROBLEMS, OperatorProblem } from "../../cloud-sync/http/operators/operator-problem.ts";
import { addReadRoute } from "../../cloud-sync/http/operators/read-route.ts";
import type { Enrolment } from "../../cloud-sync/registry/enrolment.ts";
import { LiveLinks } from "../../cloud-sync/registry/live-links.ts";
import { InProcessCenterEvents } from "../../cloud-sync/store/center-events.ts";
import { openCenterStore } from "../../cloud-sync/store/center-store.ts";
import { PointBook } from "../../cloud-sync/store/points/point-book.ts";
import { listStates } from "../../cloud-sync/store/tables/point-states.ts";
import type { CommandState, Evidence } from "../../domain/command.ts";
import { GatewayId, PointId, Token } from "../../domain/ids.ts";
import { systemClock } from "../../domain/system-clock.ts";
import { systemRandom } from "../../domain/system-random.ts";
import { type Clock, Millis, Uptime } from "../../domain/time.ts";
import type { CommandFrame, DownlinkMessage } from "../../domain/wire/downlink.ts";
import type { ReadFrame } from "../../domain/wire/fresh-read.ts";
import { type DatabaseTemplate, openTestDatabase } from "./postgres-for-tests.ts";

export interface ConsoleContext {
  testdir(): string;
  teardown(action: () => Promise<void>): void;
}

const logger = pino({ level: "silent" });
const SESSION = "1.1";

/** A center with the whole city in its database; its gateways' links are moved by hand, and they obey. */
export async function openConsoleCenter(t: ConsoleContext, template: DatabaseTemplate) {
  const connectionString = await openTestDatabase(t, { template });
  const database = await openCenterStore({ connectionString, logger, clock: systemClock });
  const links = new MovedLinks();
  const { clock } = links;
  const events = new InProcessCenterEvents();
  const gateways = await database.query<{ gateway_id: GatewayId; gateway_no: number }>(
    { name: "test-gateways", text: "select gateway_id, gateway_no from gateways" },
    [],
  );
  for (const each of gateways) links.open(each.gateway_id, each.gateway_no);
  const beating = setInterval(() => links.beatAll(), 2_000);
  const [counted] = await database.query<{ count: number }>(
    { name: "test-count", text: "select count(*) from devices where profile_id <> 'group'" },
    [],
  );
  const tokens = new AccessTokens({ database, clock: systemClock, random: systemRandom });
  const token = await tokens.create({ name: "anna", role: "operator", expiresAt: null }, "center");
  if (token === undefined) throw new Error("the name is taken");
  const guard = new OperatorGuard(tokens, systemClock);
  const ledger = new PostgresCommandLedger(database);
  const downlinks = { sent: [] as CommandFrame[], send: sendTo, isOpen: () => true };
  function sendTo(id: GatewayId, _session: string, message: DownlinkMessage): boolean {
    if (links.live.find(id)?.state !== "up") return false;
    if (message.kind === "command") downlinks.sent.push(message);
    if (message.kind === "read") void answerRead(id, message).catch(() => undefined);
    return true;
  }
  const dispatch: DispatchParts = {
    ledger,
    links: links.live,
    downlinks,
    clock,
    random: systemRandom,
    generation: 1,
    sign: (frame) => ({ ...frame, signature: "" }) as never,
  };
  const stepper = new CommandStepper(dispatch);
  const commands = new CommandService(dispatch, stepper, events);
  const dispatcher = new Dispatcher(dispatch, stepper, { events, logger });
  const verdicts = new CommandVerdicts(commandsWithin, { clock, generation: 1 });
  const app = fastify({ logger: false, forceCloseConnections: true });
  app.setValidatorCompiler(() => () => true);
  app.setErrorHandler<FastifyError>((error, _request, reply) => {
    const code = error instanceof OperatorProblem ? error.code : "unavailable";
    return reply.status(OPERATOR_PROBLEMS[code]).send({ error: { code, message: error.message } });
  });
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  const reads = new FreshReads({ database, links: links.live, downlinks, clock, random: systemRandom });
  const book = new PointBook(database, clock);
  const view = new CenterView(database, { links: links.live, book, clock, reads });
  addCommandRoutes(app, guard, { commands, reader: ledger, reads, database, view });
  /** As the bus would show it: what was told, which here is the truth. */
  async function answerRead(id: GatewayId, { session, readId, pointIds }: ReadFrame): Promise<void> {
    const states = await listStates(database, id, pointIds.map(PointId));
    const points = states.map(({ pointId, value, quality, cause }) => ({ pointId, value, quality, cause }));
    reads.take(id, { session, readId, points });
  }
  const alarms = new AlarmService({ database, events, clock });
  addAlarmRoutes(app, guard, { database, enrolment: {} as Enrolment, alarms, clock });
  addReadRoute(app, guard, { database, view, reads });
  addConsoleRoutes(app, { database, events, links: links.live, clock, logger, guard });
  const folder = t.testdir();
  const built = await buildConsole(folder);
  serveConsole(app, { folder });
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  const stop = new AbortController();
  const keeper = new AlarmKeeper({ database, events, clock, logger });
  const running = Promise.all([dispatcher.run(stop.signal), keeper.run(stop.signal)]);
  t.teardown(async () => {
    clearInterval(beating);
    stop.abort();
    await running;
    await app.close();
    await database[Symbol.asyncDispose]();
  });
  /** As ingest does with evidence: the verdict of the gateway, in a transaction of its own. */
  const tell = async (id: string, state: CommandState): Promise<void> => {
    const command = await ledger.find(id as never);
    if (command === undefined) throw new Error(`no command ${id}`);
    await database.transaction((tx) =>
      verdicts.take(tx, [
        {
          gatewayId: command.gatewayId,
          commandId: command.id,
          pointId: command.pointId,
          value: command.value,
          commandClass: command.commandClass ?? "K1",
          origin: "center",
          issuedBy: command.issuedBy,
          session: SESSION,
          state,
          tWall: 0,
          recordId: `${command.gatewayId}/00/A/1`,
        },
      ]),
    );
    events.tell("evidence-arrived", { gatewayId: command.gatewayId, commandIds: [command.id] });
  };
  const ask = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${url}/api/v1/view/${path}`, { headers: { authorization: `Bearer ${token}`, ...headers } });
  return {
    url,
    token,
    database,
    events,
    links,
    downlinks,
    ledger,
    commands,
    tell,
    ask,
    built,
    places: counted?.count ?? 0,
  };
}
export type ConsoleCenter = Awaited<ReturnType<typeof openConsoleCenter>>;

/** Sets a point as ingest would, and tells it. */
export async function movePoint(
  { database, events }: Pick<ConsoleCenter, "database" | "events">,
  gateway: string,
  point: string,
  value: number,
): Promise<void> {
  await database.query(
    {
      name: "test-move",
      text: `update point_states s set value_number = $3, corrected_at = now(), state_version = state_version + 1
             from points p join gateways g using (gateway_no)
             where s.point_no = p.point_no and g.gateway_id = $1 and p.point_id = $2`,
    },
    [gateway, point, value],
  );
  events.tell("state-changed", {
    gatewayId: GatewayId(gateway),
    pointIds: [PointId(point)],
    trueIds: value === 1 ? [PointId(point)] : [],
  });
}

/** Live links whose silence is made by moving their clock on; all others then beat. */
class MovedLinks {
  #ahead = 0;
  readonly clock: Clock = { ...systemClock, uptime: () => Uptime(systemClock.uptime() + this.#ahead) };
  readonly live = new LiveLinks(this.clock);
  readonly #open = new Map<GatewayId, number>();
  readonly #cut = new Set<GatewayId>();

  open(id: GatewayId, gatewayNo: number): void {
    this.#open.set(id, gatewayNo);
    this.live.activate(id, gatewayNo, SESSION, ["write", "select", "operate", "read"]);
    this.#beat(id);
  }

  /** Its silence has lasted for 20 s. */
  cut(id: GatewayId, events: InProcessCenterEvents): void {
    this.#cut.add(id);
    this.#ahead += 20_000;
    this.beatAll();
    this.live.judge();
    events.tell("link-changed", { gatewayId: id, state: "down" });
  }

  /** As every gateway with a link does each 5 s. */
  beatAll(): void {
    for (const each of this.#open.keys()) if (!this.#cut.has(each)) this.#beat(each);
  }

  restore(id: GatewayId, events: InProcessCenterEvents): void {
    this.#cut.delete(id);
    this.#beat(id);
    events.tell("link-changed", { gatewayId: id, state: "up" });
  }

  #beat(id: GatewayId): void {
    this.live.heard(id, SESSION);
    const zero = { A: 0, B: 0, C: 0, D: 0 };
    const token = Token("ab".repeat(16));
    const heartbeat = { session: SESSION, token, uptimeMs: 0, nowMs: 0, timeQuality: "synced" as const };
    this.live.beat(id, SESSION, { ...heartbeat, heads: zero, backlog: zero, sweeps: [[1, 3_000]] }, token);
  }
}

/** What a gateway says of a command that it carried out. */
export function proofOf(device: string, value: number | boolean): Evidence {
  const readBack = {
    pointId: PointId(
      `${device}/${typeof value === "number" ? "actual-level" : "feeder-1-contactor-feedback"}`,
    ),
    before: null,
    value,
    agrees: true,
  };
  return { target: value, acknowledged: true, readBacks: [readBack], took: Millis(140), detail: "read back" };
}

/** What `look` finds within ten seconds. */
export async function settled<Found>(look: () => Promise<Found | undefined>): Promise<Found> {
  const end = performance.now() + 10_000;
  while (performance.now() < end) {
    const found = await look();
    if (found !== undefined) return found;
    await wait(20);
  }
  throw new Error("waited ten seconds");
}
