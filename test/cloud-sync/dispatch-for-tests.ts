import { generateKeyPairSync } from "node:crypto";
import { pino } from "pino";
import type { CommandRecord } from "../../cloud-sync/dispatch/command-record.ts";
import { CommandService, type Order } from "../../cloud-sync/dispatch/command-service.ts";
import { CommandStepper, type DispatchParts } from "../../cloud-sync/dispatch/command-stepper.ts";
import { CommandVerdicts } from "../../cloud-sync/dispatch/command-verdicts.ts";
import { Dispatcher } from "../../cloud-sync/dispatch/dispatcher.ts";
import { commandsWithin, PostgresCommandLedger } from "../../cloud-sync/dispatch/postgres-command-ledger.ts";
import { InProcessCenterEvents } from "../../cloud-sync/store/center-events.ts";
import { openCenterStore } from "../../cloud-sync/store/center-store.ts";
import type { Database } from "../../cloud-sync/store/database.ts";
import { keepKinds } from "../../cloud-sync/store/points/keep-kinds.ts";
import { writeCatalogue } from "../../cloud-sync/store/tables/catalogues.ts";
import { ensureGateway } from "../../cloud-sync/store/tables/gateways.ts";
import type { CommandEvidence } from "../../cloud-sync/store/verdict-sink.ts";
import type { CommandState } from "../../domain/command.ts";
import { GatewayId, PointId } from "../../domain/ids.ts";
import { seededRandom } from "../../domain/random.ts";
import { systemClock } from "../../domain/system-clock.ts";
import { Instant, Millis, type Uptime } from "../../domain/time.ts";
import type { Catalogue } from "../../domain/wire/catalogue.ts";
import { type CommandFrame, type DownlinkMessage, signCommand } from "../../domain/wire/downlink.ts";
import type { ReadFrame } from "../../domain/wire/fresh-read.ts";
import { SimulatedClock } from "../simulated-clock.ts";
import { openTestDatabase, type TearsDown } from "./postgres-for-tests.ts";

export const GATEWAY = GatewayId("gw-test");
export const DIM = PointId("lamp-1/dim-level");
const quiet = pino({ level: "silent" });

type Link = {
  session: string;
  actions: readonly string[];
  state: "up" | "degraded" | "down";
  token: { token: string; receivedAt: Uptime } | null;
  backlog: { A: number } | null;
};

/** A gateway's end of the link, moved by hand. Nothing listens behind it. */
export class FakeLink {
  readonly frames: CommandFrame[] = [];
  readonly reads: ReadFrame[] = [];
  readonly #clock: SimulatedClock;
  link: Link | undefined;
  accepts: "yes" | "no" = "yes";
  /** What the gateway announces in its HELLO. */
  actions: readonly string[] = ["write", "select", "operate"];
  /** Called in the moment in which the bytes leave. */
  onSend: (frame: CommandFrame) => void = () => undefined;

  constructor(clock: SimulatedClock) {
    this.#clock = clock;
  }

  up(session = "1.1"): void {
    this.link = { session, actions: this.actions, state: "up", token: null, backlog: null };
    this.beat();
  }

  beat(backlogA = 0): void {
    if (this.link === undefined) throw new Error("no link");
    const token = "ab".repeat(16);
    this.link = {
      ...this.link,
      token: { token, receivedAt: this.#clock.uptime() },
      backlog: { A: backlogA },
    };
  }

  down(): void {
    if (this.link !== undefined) this.link = { ...this.link, state: "down" };
  }

  find(id: GatewayId): Link | undefined {
    return id === GATEWAY ? this.link : undefined;
  }

  isOpen(_id: GatewayId, session: string): boolean {
    return this.link?.session === session && this.link.state !== "down";
  }

  send(_id: GatewayId, session: string, message: DownlinkMessage): boolean {
    if (this.accepts === "no" || this.link?.session !== session) return false;
    if (message.kind === "read") this.reads.push(message);
    if (message.kind !== "command") return message.kind === "read";
    this.frames.push(message);
    this.onSend(message);
    return true;
  }
}

const point = (name: string, changes: object = {}) => ({
  name,
  type: "number" as const,
  unit: "%",
  access: "read-write" as const,
  range: { min: 0, max: 100 },
  commandClass: "K1" as const,
  pollClass: "lamp" as const,
  maxAgeMs: 90_000,
  polled: true,
  readBack: null,
  ...changes,
});

export const DISPATCH_CATALOGUE: Catalogue = {
  siteId: "site-test",
  name: "Test",
  kinds: [
    {
      class: "streetlight",
      service: "lighting",
      profileId: "lamp",
      profileHash: "00",
      points: [
        point("dim-level", { readBack: "actual-level" }),
        point("actual-level", { access: "read", commandClass: null }),
        point("reset", { commandClass: "K2", type: "boolean", range: null }),
        point("open", {
          commandClass: "K3",
          type: "boolean",
          range: null,
          readBack: "opened",
          interlock: ["local"],
        }),
        point("label", { type: "text", range: null }),
        point("opened", { access: "read", commandClass: null, type: "boolean", range: null }),
        point("local", { access: "read", commandClass: null, type: "boolean", range: null }),
        point("lamp-failure", { access: "read", commandClass: null, type: "boolean", range: null }),
        point("ramp", {
          access: "write",
          commandClass: "K2",
          type: "action",
          range: null,
          readBack: "actual-level",
        }),
      ],
    },
  ],
  devices: [
    {
      id: "lamp-1",
      name: "Lamp 1",
      kind: 0,
      position: null,
      parent: null,
      members: [],
      numbers: [1, 2, 3, 4, 5, 6, 7, 8, 9],
      sweeps: { lamp: 1 },
    },
  ],
  retired: [],
};

export async function writeTestCatalogue(database: Database, catalogue = DISPATCH_CATALOGUE): Promise<void> {
  const at = Instant(Date.UTC(2026, 0, 1));
  const kindNos = await keepKinds(database, catalogue);
  await database.transaction(async (tx) => {
    const { gateway_no: gatewayNo } = await ensureGateway(tx, { id: GATEWAY, name: "Test", at });
    await writeCatalogue(tx, { gatewayNo, hash: "00".repeat(32), catalogue, kindNos, at });
  });
}

/** Dispatch on a database of its own, with a link and a clock that the test moves. */
export async function openTestDispatch(t: TearsDown, connectionString?: string) {
  const where = connectionString ?? (await openTestDatabase(t));
  const database = await openCenterStore({ connectionString: where, logger: quiet, clock: systemClock });
  t.teardown(() => database[Symbol.asyncDispose]());
  if (connectionString === undefined) await writeTestCatalogue(database);
  const clock = new SimulatedClock();
  const link = new FakeLink(clock);
  return { ...dispatchOn(database, { clock, link, generation: 1 }), connectionString: where };
}

/** Also a center that starts anew on the same database: nothing but that is handed over. */
export function dispatchOn(
  database: Database,
  parts: { readonly clock: SimulatedClock; readonly link: FakeLink; readonly generation: number },
) {
  const { clock, link, generation } = parts;
  const ledger = new PostgresCommandLedger(database);
  const events = new InProcessCenterEvents();
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const dispatch: DispatchParts = {
    ledger,
    links: link,
    downlinks: link,
    clock,
    random: seededRandom(7),
    generation,
    sign: (frame) => signCommand(frame, privateKey),
  };
  const stepper = new CommandStepper(dispatch);
  const service = new CommandService(dispatch, stepper, events);
  const dispatcher = new Dispatcher(dispatch, stepper, { events, logger: quiet });
  const verdicts = new CommandVerdicts(commandsWithin, { clock, generation });
  const never = new AbortController().signal;
  return {
    database,
    clock,
    link,
    ledger,
    events,
    service,
    dispatcher,
    verdicts,
    publicKey,
    order: (changes: Partial<Order> = {}, by = "operator/test"): Promise<CommandRecord> =>
      service.request(
        {
          gatewayId: GATEWAY,
          pointId: DIM,
          value: 40,
          args: [],
          ttl: null,
          commandId: null,
          confirmed: null,
          ...changes,
        },
        by,
      ),
    round: () => dispatcher.round(never),
    find: async (id: CommandRecord["id"]) => {
      const found = await ledger.find(id);
      if (found === undefined) throw new Error(`no command ${id}`);
      return found;
    },
    states: async (id: CommandRecord["id"]) =>
      ((await ledger.histories([id])).get(id) ?? []).map((step) => step.state.name),
    /** Evidence as ingest hands it on, in a transaction of its own. */
    tell: (command: CommandRecord, state: CommandState, changes: Partial<CommandEvidence> = {}) =>
      database.transaction((tx) => verdicts.take(tx, [evidenceOf(command, state, changes)])),
  };
}

export function evidenceOf(
  command: CommandRecord,
  state: CommandState,
  changes: Partial<CommandEvidence> = {},
): CommandEvidence {
  return {
    gatewayId: command.gatewayId,
    commandId: command.id,
    pointId: command.pointId,
    value: command.value,
    commandClass: command.commandClass ?? "K1",
    origin: "center",
    issuedBy: command.issuedBy,
    session: command.sent?.session ?? null,
    state,
    tWall: 0,
    recordId: "gw-test/00/A/1",
    ...changes,
  };
}

export const PROOF = {
  target: 40,
  acknowledged: true,
  readBacks: [],
  took: Millis(12),
  detail: "read back 40 % of 40 %",
};
