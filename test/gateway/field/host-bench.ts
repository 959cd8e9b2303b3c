import { pino } from "pino";
import type { Evidence } from "../../../domain/command.ts";
import { BusId, CommandId, DeviceId, PointNumber, pointIdOf } from "../../../domain/ids.ts";
import type { PointDefinition, PollClass, SitePoint } from "../../../domain/point.ts";
import type { PointChange } from "../../../domain/reading.ts";
import { Millis, Uptime } from "../../../domain/time.ts";
import type { Driver } from "../../../drivers/driver.ts";
import { FieldHost } from "../../../gateway/field/field-host.ts";
import type {
  BusFigures,
  FieldBusPlan,
  FieldPlan,
  FieldReport,
  Operation,
  OperationResult,
} from "../../../gateway/field/field-plan.ts";
import { SimulatedClock } from "../../simulated-clock.ts";
import type { ScriptedAddress, ScriptedDriver } from "./scripted-driver.ts";

export const INTERVALS: Readonly<Record<PollClass, Millis>> = {
  "safety-status": Millis(250),
  fast: Millis(1_000),
  normal: Millis(5_000),
  meter: Millis(60_000),
  lamp: Millis(30_000),
  slow: Millis(900_000),
};
export const BUS = BusId("bus-1");

/** A point of unit `unit` at `register`; its number is unit × 1000 + register. */
export function sitePoint(
  unit: number,
  register: number,
  more: Partial<PointDefinition<ScriptedAddress>> = {},
): SitePoint<ScriptedAddress> {
  const name = `register-${register}`;
  return {
    id: pointIdOf(DeviceId(`unit-${unit}`), name),
    number: PointNumber(unit * 1_000 + register),
    definition: {
      name,
      type: "number",
      unit: "1",
      access: "read-write",
      address: { register },
      deadband: 0,
      pollClass: "fast",
      maxAge: Millis(10_000),
      source: "test",
      ...more,
    },
  };
}

/** A bus whose units 1, 2 … have these points; a unit's sweeps are numbered unit × 10 + class. */
export function busPlan(units: readonly (readonly SitePoint[])[], requestTimeout = 500): FieldBusPlan {
  return {
    id: BUS,
    driver: "scripted",
    config: {},
    requestTimeout: Millis(requestTimeout),
    pollIntervals: INTERVALS,
    units: units.map((points, index) => ({
      unitAddress: String(index + 1),
      quirks: [],
      points,
      fingerprint: "as-tested",
      probes: [],
      sweeps: [...new Set(points.map((point) => point.definition.pollClass))].map((pollClass, place) => ({
        number: (index + 1) * 10 + place,
        pollClass,
      })),
    })),
  };
}

/** A field host in this process on a clock that the test moves. */
export class HostBench implements AsyncDisposable {
  readonly clock = new SimulatedClock();
  readonly reports: FieldReport[] = [];
  readonly host: FieldHost;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;

  readonly busId = BUS;

  constructor(driver: ScriptedDriver, bus: FieldBusPlan, more: Partial<FieldPlan> = {}) {
    this.host = new FieldHost({
      plan: { group: "lighting", buses: [bus], ...more },
      loadDriver: () => Promise.resolve(driver as Driver),
      clock: this.clock,
      logger: pino({ level: "silent" }),
      sink: (report) => this.reports.push(report),
    });
    this.#ended = this.host.run(this.#stop.signal);
    this.#ended.catch(() => undefined);
  }

  get changes(): readonly PointChange[] {
    return this.reports.flatMap((report) => (report.kind === "changes" ? report.changes : []));
  }

  changesOf(point: number): readonly PointChange[] {
    return this.changes.filter((change) => change.point === point);
  }

  get figures(): BusFigures | undefined {
    return this.reports.flatMap((report) => (report.kind === "figures" ? report.figures : [])).at(-1);
  }

  get sweeps(): readonly (readonly [number, number])[] {
    return this.reports.flatMap((report) => (report.kind === "sweeps" ? report.sweeps : []));
  }

  /** Resolves or rejects with the host's loop. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Runs the operation while the clock goes on, up to 20 s. */
  async operate(operation: Operation, signal = new AbortController().signal): Promise<OperationResult> {
    let result: OperationResult | undefined;
    const running = this.host.runOperation(operation, signal).then((end) => {
      result = end;
    });
    for (let step = 0; step < 2_000 && result === undefined; step += 1) await this.clock.advance(10);
    await running;
    if (result === undefined) throw new Error("the operation did not end");
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await this.clock.advance(0);
    await this.#ended.catch(() => undefined);
  }
}

/** An operation on register 0 of unit 1, read back from register 1. */
export function operation(more: Partial<Operation> = {}): Operation {
  return {
    args: [],
    commandId: CommandId("0190a5d0-0000-7000-8000-000000000001"),
    busId: BUS,
    unitAddress: "1",
    point: PointNumber(1_000),
    value: 40,
    deadline: Uptime(1e9),
    interlock: null,
    readBack: {
      expected: more.value ?? 40,
      points: [{ number: PointNumber(1_001), pointId: pointIdOf(DeviceId("unit-1"), "register-1") }],
      tolerance: 1,
      within: Millis(2_000),
      settle: Millis(0),
    },
    ...more,
  };
}

/** @throws when the operation ended without evidence. */
export function evidenceOf(result: OperationResult): Evidence {
  if (!("evidence" in result)) throw new Error(`no evidence in ${JSON.stringify(result)}`);
  return result.evidence;
}
