import { pino } from "pino";
import { BusId, CommandId, DeviceId, PointNumber, pointIdOf } from "../domain/ids.ts";
import type { SitePoint } from "../domain/point.ts";
import { after, type Clock, Millis, Seconds } from "../domain/time.ts";
import { loadDriver } from "../drivers/registry.ts";
import { FieldHost } from "../gateway/field/field-host.ts";
import type { FieldBusPlan } from "../gateway/field/field-plan.ts";
import type { BenchLine } from "./bench-line.ts";
import { exchangeMs, type PacedLine, startPacedLine } from "./paced-line.ts";

const BAUD = 9_600;
const REGISTERS = 10;
const UNITS = 20;
/** The unit that is on no line. */
const DEAD = 20;
const REQUEST_TIMEOUT = Millis(500);
const WARM_UP = Seconds(3);
/** The first misses, 1, 2 and 4 s apart, are over then; what is measured is the life after them. */
const DEAD_WARM_UP = Seconds(10);
const RATE_WINDOW = Seconds(25);
const DEAD_WINDOW = Seconds(60);
const COMMANDS = 120;
const BUS = BusId("line");

/** A line at 9,600 baud that always has more to ask than it can carry, served by the field host's own scheduler. */
export async function benchBusyLine(folder: string, clock: Clock): Promise<readonly BenchLine[]> {
  const living = Array.from({ length: UNITS - 1 }, (_, index) => index + 1);
  const asked = { name: "busy", baud: BAUD, units: living, registers: REGISTERS };
  await using line = await startPacedLine(asked, folder, clock);
  const without = await rateOf(line, living, { warmUp: WARM_UP, window: RATE_WINDOW, clock });
  const waits = await commandWaits(line, living, clock);
  const withDead = await rateOf(line, [...living, DEAD], {
    warmUp: DEAD_WARM_UP,
    window: DEAD_WINDOW,
    clock,
  });
  return [deadUnitLine(withDead, without), commandLine(waits)];
}

function deadUnitLine(withDead: number, without: number): BenchLine {
  const ratio = withDead / without;
  return {
    bench: "line",
    name: `1 of ${UNITS} units dead at ${BAUD} baud`,
    unit: "answered exchanges a second of the other 19",
    value: round(withDead),
    baseline: round(without),
    ratio: round(ratio),
    goal: "at least 0.95 of their rate without it",
    ok: ratio >= 0.95,
    details: {
      baud: BAUD,
      registers: REGISTERS,
      requestTimeoutMs: REQUEST_TIMEOUT,
      warmUpSeconds: DEAD_WARM_UP / 1_000,
      windowSeconds: DEAD_WINDOW / 1_000,
    },
  };
}

/** Baseline: one exchange of the line, which a command may find under way. */
function commandLine(waits: readonly number[]): BenchLine {
  const sorted = [...waits].sort((one, other) => one - other);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const exchange = exchangeMs(BAUD, REGISTERS);
  const p99 = at(0.99);
  return {
    bench: "line",
    name: `wait of a command on a saturated line at ${BAUD} baud`,
    unit: "ms, p99, beyond the write's own time on the wire",
    value: round(p99),
    baseline: round(exchange),
    ratio: round(p99 / exchange),
    goal: "at most one exchange and 50 ms",
    ok: p99 <= exchange + 50,
    details: {
      baud: BAUD,
      registers: REGISTERS,
      p50Ms: round(at(0.5)),
      maxMs: round(at(1)),
      commands: waits.length,
    },
  };
}

async function rateOf(
  line: PacedLine,
  units: readonly number[],
  { warmUp, window, clock }: { readonly warmUp: Millis; readonly window: Millis; readonly clock: Clock },
): Promise<number> {
  await using host = await startHost(line, units, clock);
  await clock.sleep(warmUp, host.signal);
  const before = await line.figures();
  const start = clock.uptime();
  await clock.sleep(window, host.signal);
  const answers = (await line.figures()).answers - before.answers;
  return (1_000 * answers) / (clock.uptime() - start);
}

async function commandWaits(
  line: PacedLine,
  units: readonly number[],
  clock: Clock,
): Promise<readonly number[]> {
  await using host = await startHost(line, units, clock);
  await clock.sleep(WARM_UP, host.signal);
  const character = 11_000 / BAUD;
  const writeMs = 16 * character + 2 * 3.5 * character;
  const waits: number[] = [];
  for (let command = 0; command < COMMANDS; command += 1) {
    const unit = (command % units.length) + 1;
    const start = clock.uptime();
    const result = await host.write(unit, command);
    // Acknowledged, and no read-back asked for: the product calls that unproven.
    if (result !== "outcome-unknown") throw new Error(`command ${command} ended as ${result}`);
    waits.push(clock.uptime() - start - writeMs);
    // Meets the line at another place of its round each time.
    await clock.sleep(Millis(20 + ((command * 7) % 31)), host.signal);
  }
  return waits;
}

interface RunningHost extends AsyncDisposable {
  readonly signal: AbortSignal;
  write(unit: number, value: number): Promise<string>;
}

async function startHost(line: PacedLine, units: readonly number[], clock: Clock): Promise<RunningHost> {
  const driver = await loadDriver("modbus");
  const config = driver.parseBusConfig({ transport: "rtu", path: line.path, baud: BAUD });
  const address = driver.parseAddress(
    { table: "holding", register: 0 },
    { type: "number", access: "read-write" },
  );
  const pointsOf = (unit: number): readonly SitePoint[] =>
    Array.from({ length: REGISTERS }, (_, register) =>
      pointOf(unit, register, { ...Object(address), register, writeRegister: register }),
    );
  const bus: FieldBusPlan = {
    id: BUS,
    driver: "modbus",
    config,
    requestTimeout: REQUEST_TIMEOUT,
    pollIntervals: INTERVALS,
    units: units.map((unit) => ({
      unitAddress: String(unit),
      quirks: [],
      fingerprint: "bench",
      probes: [],
      points: pointsOf(unit),
      sweeps: [{ number: unit, pollClass: "fast" }],
    })),
  };
  const stop = new AbortController();
  const plan = { group: "bench", buses: [bus] };
  const host = new FieldHost({
    plan,
    loadDriver: () => Promise.resolve(driver),
    clock,
    logger: pino({ level: "error" }),
    sink: () => {},
  });
  const running = host.run(stop.signal);
  return {
    signal: stop.signal,
    write: async (unit, value) => {
      const operation = {
        commandId: CommandId("0190a5d0-0000-7000-8000-000000000001"),
        busId: BUS,
        unitAddress: String(unit),
        point: PointNumber(unit * 1_000),
        value,
        args: [],
        deadline: after(clock.uptime(), Seconds(10)),
        interlock: null,
        readBack: null,
      };
      return (await host.runOperation(operation, stop.signal)).outcome;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

function pointOf(unit: number, register: number, address: unknown): SitePoint {
  const name = `register-${register}`;
  return {
    id: pointIdOf(DeviceId(`unit-${unit}`), name),
    number: PointNumber(unit * 1_000 + register),
    definition: {
      name,
      type: "number",
      unit: "1",
      access: "read-write",
      address,
      deadband: 0,
      pollClass: "fast",
      maxAge: Seconds(60),
      source: "bench",
    },
  };
}

/** Twenty units at 46 ms are a round of 0.9 s: asked every 0.25 s, the line is always behind. */
const INTERVALS = {
  "safety-status": Millis(250),
  fast: Millis(250),
  normal: Millis(5_000),
  meter: Millis(60_000),
  lamp: Millis(30_000),
  slow: Millis(900_000),
};

const round = (value: number): number => Math.round(value * 1_000) / 1_000;
