import { generateKeyPairSync } from "node:crypto";
import { pino } from "pino";
import type { CommandState, Evidence } from "../../domain/command.ts";
import type { Device } from "../../domain/device.ts";
import {
  BusId,
  CommandId,
  DeviceId,
  GatewayId,
  PointNumber,
  ProfileId,
  pointIdOf,
  SiteId,
} from "../../domain/ids.ts";
import type { PointDefinition, SitePoint } from "../../domain/point.ts";
import type { Quirk } from "../../domain/profile.ts";
import { seededRandom } from "../../domain/random.ts";
import type { PointChange, PointValue } from "../../domain/reading.ts";
import { type Clock, Instant, Millis, Seconds, type Uptime } from "../../domain/time.ts";
import { type CommandFrame, signCommand } from "../../domain/wire/downlink.ts";
import { CommandControl } from "../../gateway/control/command-control.ts";
import type {
  FieldOperation,
  FieldOperationResult,
  FieldRead,
  FieldReadResult,
  OperationRunner,
} from "../../gateway/control/field-operation.ts";
import { PointIndex } from "../../gateway/site/site.ts";
import type { Store } from "../../gateway/store/store.ts";
import { TokenBook } from "../../gateway/uplink/token-book.ts";

export const GATEWAY = GatewayId("gw-1");
export const AUTHORITY = generateKeyPairSync("ed25519");
export const DIM = pointIdOf(DeviceId("lamp-1"), "dim-level");
export const SILENT = pino({ level: "silent" });

/** A UUIDv7 made of a number: the test reads which one it was. */
export function commandId(number: number): CommandId {
  return CommandId(`01900000-0000-7000-8000-${number.toString(16).padStart(12, "0")}`);
}

const DIM_LEVEL: PointDefinition = {
  name: "dim-level",
  type: "number",
  unit: "%",
  access: "read-write",
  address: {},
  range: { min: 0, max: 100 },
  deadband: 1,
  pollClass: "lamp",
  maxAge: Seconds(90),
  commandClass: "K1",
  readBack: { point: "actual-level", of: "device", tolerance: 1, within: Seconds(2) },
  source: "test",
};
const { range: _range, readBack: _readBack, commandClass: _class, ...PLAIN } = DIM_LEVEL;
const ACTUAL: PointDefinition = { ...PLAIN, name: "actual-level", access: "read" };
const LABEL: PointDefinition = { ...PLAIN, name: "label", type: "text", unit: "1", commandClass: "K1" };
/** Brings the level to its first argument. */
const RAMP: PointDefinition = {
  ...PLAIN,
  name: "ramp",
  type: "action",
  unit: "1",
  access: "write",
  commandClass: "K2",
  args: [
    { name: "level", type: "number", unit: "%", range: { min: 0, max: 100 } },
    { name: "curve", type: "text", unit: "1", oneOf: ["slow", "fast"] },
  ],
  readBack: {
    point: "actual-level",
    of: "device",
    expects: { argument: "level" },
    tolerance: 1,
    within: Seconds(2),
  },
};
const RESET: PointDefinition = { ...PLAIN, name: "reset", type: "action", unit: "1", commandClass: "K2" };
const RELEASE: PointDefinition = {
  ...PLAIN,
  name: "release",
  type: "boolean",
  unit: "1",
  commandClass: "K3",
};
const FEEDBACK: PointDefinition = { ...PLAIN, name: "feedback", type: "boolean", unit: "1", access: "read" };
const LOCAL: PointDefinition = { ...FEEDBACK, name: "selector-local" };
const TRIPPED: PointDefinition = { ...FEEDBACK, name: "tripped" };
/** A contactor of a cabinet: two steps, an interlock, a rest after each operation. */
const DEMAND: PointDefinition = {
  ...RELEASE,
  name: "demand",
  readBack: { point: "feedback", of: "device", tolerance: 0, within: Seconds(3) },
  interlock: {
    name: "feeder",
    all: [
      { point: "selector-local", equals: false },
      { point: "tripped", equals: false, writing: true },
    ],
  },
  minInterval: Seconds(60),
};

function device(
  id: string,
  definitions: readonly PointDefinition[],
  more: {
    readonly numbersFrom: number;
    readonly members?: readonly string[];
    readonly quirks?: readonly Quirk[];
  },
): Device {
  const deviceId = DeviceId(id);
  const points: readonly SitePoint[] = definitions.map((definition, index) => ({
    id: pointIdOf(deviceId, definition.name),
    number: PointNumber(more.numbersFrom + index),
    definition,
  }));
  return {
    id: deviceId,
    name: id,
    class: "streetlight",
    service: "lighting",
    profileId: ProfileId("test-lamp"),
    profileHash: "0".repeat(64),
    busId: BusId("bus-1"),
    unitAddress: "1",
    members: (more.members ?? []).map(DeviceId),
    points,
    quirks: more.quirks ?? [],
  };
}

const OF_MEMBERS: PointDefinition = {
  ...DIM_LEVEL,
  readBack: { point: "actual-level", of: "members", tolerance: 1, within: Seconds(2) },
};
const SETTLE: Quirk = { flag: "settle-before-read-back", value: 300, why: "test" };

/** Two lamps and the group of both. */
export const POINTS = new PointIndex({
  siteId: SiteId("old-town"),
  gatewayId: GATEWAY,
  name: "Old town",
  broker: { host: "127.0.0.1", port: 0 },
  dataFolder: "/nowhere",
  store: { quotaBytes: 4 * 1024 ** 3, ballastBytes: 0 },
  buses: [],
  profiles: [],
  devices: [
    device("lamp-1", [DIM_LEVEL, ACTUAL, LABEL, RESET, RELEASE, RAMP], { numbersFrom: 1 }),
    device("lamp-2", [DIM_LEVEL, ACTUAL], { numbersFrom: 11 }),
    device("cabinet-1", [DEMAND, FEEDBACK, LOCAL, TRIPPED], { numbersFrom: 31 }),
    device("group-1", [OF_MEMBERS], { numbersFrom: 21, members: ["lamp-1", "lamp-2"], quirks: [SETTLE] }),
  ],
});

/** The contactor is open, the selector on auto, nothing has tripped. */
export const CABINET_AT_REST: ReadonlyMap<number, PointValue> = new Map([
  [31, false],
  [32, false],
  [33, false],
  [34, false],
]);
export const DEMAND_ID = pointIdOf(DeviceId("cabinet-1"), "demand");

/** The field as control sees it: each operation waits until the test says how it ended. */
export class ScriptedRunner implements OperationRunner {
  readonly operations: FieldOperation[] = [];
  readonly #answers = new Map<CommandId, (result: FieldOperationResult) => void>();
  /** Called as the operation arrives, before anything could have moved. */
  onOperation: (operation: FieldOperation) => void = () => undefined;

  async runOperation(operation: FieldOperation): Promise<FieldOperationResult> {
    this.operations.push(operation);
    this.onOperation(operation);
    return await new Promise((resolve) => this.#answers.set(operation.commandId, resolve));
  }

  /** What a read on the bus finds; `null`: the unit is silent. Called as the read arrives. */
  onRead: (read: FieldRead) => ReadonlyMap<number, PointValue> | null | Promise<null> = () => CABINET_AT_REST;

  async readNow(read: FieldRead): Promise<FieldReadResult> {
    const values = await this.onRead(read);
    if (values === null) return { outcome: "fault", code: "timeout", detail: "unit 1 does not answer" };
    const changes = read.points.map((point): PointChange => {
      const value = values.get(point);
      const stamps = { point, gatewayTimestamp: Instant(0), sourceTimestamp: null };
      if (value === undefined)
        return { ...stamps, value: null, quality: "bad/no-communication", cause: "timeout" };
      return { ...stamps, value, quality: "good", cause: "none" };
    });
    return { outcome: "read", changes };
  }

  answer(id: CommandId, result: FieldOperationResult): void {
    this.#answers.get(id)?.(result);
    this.#answers.delete(id);
  }

  /** Operations that hang on the bus. */
  get waiting(): readonly CommandId[] {
    return [...this.#answers.keys()];
  }
}

export function evidence(detail: string): Evidence {
  return { target: 40, acknowledged: true, readBacks: [], took: Millis(5), detail };
}

export const SUCCEEDED: FieldOperationResult = {
  outcome: "succeeded",
  evidence: evidence("read back 40 of 40"),
};

export interface ControlBench {
  readonly control: CommandControl;
  readonly runner: ScriptedRunner;
  readonly tokens: TokenBook;
  readonly states: readonly (readonly [CommandId, CommandState["name"]])[];
}

/** Control over this store, with sync session 1.1 current. */
export function openControl(
  store: Pick<Store, "commands" | "desired" | "evidence">,
  clock: Clock,
  session = "1.1",
): ControlBench {
  const runner = new ScriptedRunner();
  const tokens = new TokenBook(clock, seededRandom(clock.uptime()), () => Millis(clock.uptime()));
  tokens.open(session);
  const control = new CommandControl({
    gatewayId: GATEWAY,
    points: POINTS,
    store,
    runner,
    freshness: {
      mintedAt: (token, asked) => tokens.mintedAt(token, asked),
      currentSession: () => tokens.session,
    },
    commandKey: () => AUTHORITY.publicKey,
    clock,
    logger: SILENT,
  });
  const states: (readonly [CommandId, CommandState["name"]])[] = [];
  control.onState((id, _point, state) => states.push([id, state.name]));
  return { control, runner, tokens, states };
}

/** A good order of the center for {@link DIM}, but for `changes`; signed last. */
export function order(
  tokens: TokenBook,
  changes: Partial<Omit<CommandFrame, "signature">> = {},
): CommandFrame {
  return signCommand(
    {
      kind: "command",
      gatewayId: GATEWAY,
      commandId: commandId(1),
      pointId: DIM,
      action: "write",
      value: 40,
      args: [],
      commandClass: "K1",
      sequence: { generation: 1, counter: 1 },
      session: tokens.session ?? "",
      token: changes.token ?? tokens.mint(),
      budgetMs: 5_000,
      requester: "operator/anna",
      approvals: [],
      policyVersion: "1",
      crit: [],
      ...changes,
    },
    AUTHORITY.privateKey,
  );
}

/** An order given on this gateway. */
export function localOrder(
  number: number,
  deadline: Uptime,
  changes: { pointId?: string; value?: number | string | boolean } = {},
) {
  return {
    commandId: commandId(number),
    pointId: DIM,
    value: 40,
    issuedBy: "crew/root",
    deadline,
    confirmation: "person" as const,
    ...changes,
  };
}
