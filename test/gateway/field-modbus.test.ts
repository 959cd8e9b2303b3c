import { pino } from "pino";
import t from "tap";
import type { Device } from "../../domain/device.ts";
import { BusId, CommandId, DeviceId, PointNumber, ProfileId, pointIdOf } from "../../domain/ids.ts";
import type { PointDefinition } from "../../domain/point.ts";
import { systemClock } from "../../domain/system-clock.ts";
import { after, Millis, Seconds } from "../../domain/time.ts";
import { modbusDriver } from "../../drivers/modbus/modbus-driver.ts";
import { buildField } from "../../gateway/field/build-field.ts";
import type { FieldReport, Operation } from "../../gateway/field/field-plan.ts";
import { planField } from "../../gateway/field/plan-field.ts";
import { machineClock } from "../../simulators/clock.ts";
import { DaliBridge } from "../../simulators/dali/dali-bridge.ts";
import { Journal } from "../../simulators/journal.ts";
import { openModbusTcpServer } from "../../simulators/modbus/modbus-tcp-server.ts";
import { INTERVALS } from "./field/host-bench.ts";

const LAMPS = 4;
const BUS = BusId("dali-1");

async function openBridge() {
  const journal = new Journal({ clock: machineClock });
  const gears = Array.from({ length: LAMPS }, (_, shortAddress) => ({ channel: 0, shortAddress, groups: 1 }));
  const given = { id: "b", channels: 1, gears, seed: 1, fade: 0, refreshMs: 50, holes: "exception" } as const;
  const bridge = new DaliBridge({ ...given, journal, clock: machineClock });
  return await openModbusTcpServer({
    host: "127.0.0.1",
    port: 0,
    units: new Map([[1, bridge]]),
    clock: machineClock,
  });
}

/** Lamp `index`: the command at register +15 and the level shown at +6, numbered index × 10 + 1 and + 2. */
function lamp(index: number): Device {
  const id = DeviceId(`lamp-${index}`);
  const point = (name: string, offset: number, access: PointDefinition["access"], number: number) => {
    const kind = { type: "number", access } as const;
    const address = modbusDriver.parseAddress({ table: "holding", register: 100 * index + offset }, kind);
    const poll = { deadband: 1, pollClass: "safety-status", maxAge: Seconds(2) } as const;
    const definition = { name, ...kind, unit: "%", address, ...poll, source: "INMBSDAL r1.3 §2.4" };
    return { id: pointIdOf(id, name), number: PointNumber(index * 10 + number), definition };
  };
  return {
    id,
    name: `Lamp ${index}`,
    class: "streetlight",
    service: "lighting",
    profileId: ProfileId("lamp"),
    profileHash: "",
    busId: BUS,
    unitAddress: "1",
    members: [],
    points: [point("dim-level", 15, "read-write", 1), point("actual-level", 6, "read", 2)],
    quirks: [],
  };
}

function order(index: number, value: number): Operation {
  const actual = {
    number: PointNumber(index * 10 + 2),
    pointId: pointIdOf(DeviceId(`lamp-${index}`), "actual-level"),
  };
  return {
    commandId: CommandId(`0190a5d0-0000-7000-8000-00000000000${index}`),
    busId: BUS,
    unitAddress: "1",
    point: PointNumber(index * 10 + 1),
    value,
    deadline: after(systemClock.uptime(), Seconds(10)),
    interlock: null,
    args: [],
    readBack: { points: [actual], expected: value, tolerance: 1, within: Seconds(2), settle: Millis(0) },
  };
}

for (const hosting of ["in-process", "processes"] as const) {
  t.test(`lamps behind a real Modbus socket are polled, commanded and lost (${hosting})`, async (t) => {
    await using server = await openBridge();
    const config = modbusDriver.parseBusConfig({ transport: "tcp", ...server.address });
    const bus = { id: BUS, driver: "modbus", config, isolationGroup: "lighting" };
    const timing = { requestTimeout: Millis(300), pollIntervals: INTERVALS };
    const plans = planField(
      [{ ...bus, ...timing }],
      Array.from({ length: LAMPS }, (_, index) => lamp(index)),
    );
    const reports: FieldReport[] = [];
    const logger = pino({ level: "silent" });
    const sink = (report: FieldReport) => void reports.push(report);
    const { field, services } = buildField({ plans, hosting, clock: systemClock, logger, sink });
    const stop = new AbortController();
    const ended = Promise.all(services.map((service) => service.run(stop.signal)));
    const last = (point: number) =>
      reports
        .flatMap((report) => (report.kind === "changes" ? report.changes : []))
        .findLast((change) => change.point === point);
    const until = async (what: string, fits: () => boolean): Promise<void> => {
      for (let tries = 0; tries < 1_000 && !fits(); tries += 1)
        await systemClock.sleep(Millis(10), stop.signal);
      t.ok(fits(), what);
    };
    try {
      await until("every lamp is told", () =>
        [2, 12, 22, 32].every((point) => last(point)?.quality === "good"),
      );
      t.match(await field.runOperation(order(1, 40), stop.signal), {
        outcome: "succeeded",
        evidence: { acknowledged: true, readBacks: [{ value: 40, agrees: true }] },
      });
      await until("the level is told as a reading", () => last(12)?.value === 40);
      t.match(await field.readNow({ busId: BUS, unitAddress: "1", points: [PointNumber(2)] }, stop.signal), {
        outcome: "read",
        changes: [{ point: 2, quality: "good" }],
      });
      await server[Symbol.asyncDispose]();
      await until("the lost line is told", () => last(12)?.cause === "connection-lost");
      t.match(await field.runOperation(order(2, 40), stop.signal), { outcome: "rejected", cause: "busy" });
    } finally {
      stop.abort();
      await ended;
    }
  });
}
