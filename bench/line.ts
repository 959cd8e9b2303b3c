import { mkdir } from "node:fs/promises";
import Modbus from "modbus-serial";
import { pino } from "pino";
import { type Clock, Seconds } from "../domain/time.ts";
import { type Exchange, NO_HOLES } from "../drivers/driver.ts";
import { modbusDriver } from "../drivers/modbus/modbus-driver.ts";
import type { BenchLine } from "./bench-line.ts";
import { benchBusyLine } from "./busy-line.ts";
import { exchangeMs, type LineFigures, type PacedLine, startPacedLine } from "./paced-line.ts";

const WARM_UP = Seconds(2);
const WINDOW = Seconds(6);
const BARE_WINDOW = Seconds(2);

const CASES = [
  { baud: 9_600, registers: 10, goal: 0.97 },
  { baud: 9_600, registers: 100, goal: 0.97 },
  { baud: 19_200, registers: 10, goal: 0.97 },
  { baud: 19_200, registers: 100, goal: 0.97 },
  { baud: 115_200, registers: 10, goal: 0.85 },
  { baud: 115_200, registers: 100, goal: 0.95 },
] as const;

/**
 * Share of a line's theoretical rate that the driver reaches when it always has something to ask: 8 characters of
 * request, T3.5, no turnaround, 5 + 2N characters of answer, T3.5. Beside it modbus-serial alone on the same line, which keeps no silence.
 */
export async function benchLine(folder: string, clock: Clock): Promise<readonly BenchLine[]> {
  await mkdir(folder, { recursive: true });
  const shares = await benchShares(folder, clock);
  return [...shares, ...(await benchBusyLine(folder, clock))];
}

export async function benchShares(folder: string, clock: Clock): Promise<readonly BenchLine[]> {
  const lines: BenchLine[] = [];
  for (const asked of CASES) lines.push(await measure(asked, folder, clock));
  return lines;
}

async function measure(
  { baud, registers, goal }: (typeof CASES)[number],
  folder: string,
  clock: Clock,
): Promise<BenchLine> {
  const name = `${baud}-${registers}`;
  await using line = await startPacedLine({ name, baud, units: [1], registers }, folder, clock);
  const ours = await driverLoop(line, { baud, registers }, clock);
  const bare = await bareLoop(line, { baud, registers }, clock);
  return {
    bench: "line",
    name: `${registers} registers at ${baud} baud`,
    unit: "share of the line's theoretical rate",
    value: round(ours.share),
    baseline: round(bare.share),
    ratio: round(ours.share / bare.share),
    goal: `share at least ${goal} without a violation`,
    ok: ours.share >= goal && ours.violations === 0,
    details: {
      baud,
      registers,
      share: round(ours.share),
      violations: ours.violations,
      exchanges: ours.exchanges,
      faults: ours.faults,
      exchangeMs: round(exchangeMs(baud, registers)),
      bareShare: round(bare.share),
      bareViolations: bare.violations,
      cpuShare: round(ours.cpuShare),
      windowSeconds: WINDOW / 1_000,
    },
  };
}

interface LoopResult {
  readonly share: number;
  readonly exchanges: number;
  readonly faults: number;
  readonly violations: number;
  readonly cpuShare: number;
}

async function driverLoop(
  line: PacedLine,
  asked: { readonly baud: number; readonly registers: number },
  clock: Clock,
): Promise<LoopResult> {
  const { signal } = new AbortController();
  const context = { clock, logger: pino({ enabled: false }), requestTimeout: Seconds(1), frames: () => {} };
  const config = modbusDriver.parseBusConfig({ transport: "rtu", path: line.path, baud: asked.baud });
  await using bus = await modbusDriver.openBus(config, context, signal);
  const session = bus.openSession("1", []);
  const points = Array.from({ length: asked.registers }, (_, register) => pointAt(register));
  const [exchange] = session.plan(points, NO_HOLES);
  if (exchange === undefined) throw new Error("the plan is empty");
  return await loop(() => session.exchange(exchange as Exchange<never>, signal), {
    line,
    asked,
    window: WINDOW,
    clock,
  });
}

function pointAt(register: number) {
  const address = modbusDriver.parseAddress(
    { table: "holding", register },
    { type: "number", access: "read" },
  );
  return {
    name: `register-${register}`,
    type: "number",
    unit: "1",
    access: "read",
    address,
    deadband: 0,
    pollClass: "fast",
    maxAge: Seconds(60),
    source: "bench",
  } as const;
}

async function bareLoop(
  line: PacedLine,
  asked: { readonly baud: number; readonly registers: number },
  clock: Clock,
): Promise<LoopResult> {
  const client = new Modbus.default();
  await client.connectRTUBuffered(line.path, {
    baudRate: asked.baud,
    parity: "even",
    dataBits: 8,
    stopBits: 1,
  });
  client.setID(1);
  client.setTimeout(2_000);
  try {
    const once = () => client.readHoldingRegisters(0, asked.registers);
    return await loop(once, { line, asked, window: BARE_WINDOW, clock });
  } finally {
    await new Promise<void>((resolve) => client.close(() => resolve()));
  }
}

async function loop(
  once: () => Promise<unknown>,
  run: {
    readonly line: PacedLine;
    readonly asked: { readonly baud: number; readonly registers: number };
    readonly window: number;
    readonly clock: Clock;
  },
): Promise<LoopResult> {
  const { line, asked, window, clock } = run;
  // Both programs are new: their first seconds are those of the compiler.
  for (const warm = clock.uptime() + WARM_UP; clock.uptime() < warm; ) await once().catch(() => {});
  const before = await line.figures();
  const cpu = process.cpuUsage();
  const start = clock.uptime();
  let exchanges = 0;
  let faults = 0;
  while (clock.uptime() < start + window) {
    try {
      await once();
      exchanges += 1;
    } catch {
      // A machine that stands still for longer than an answer may pause: it costs its time, and is told.
      faults += 1;
    }
  }
  const took = clock.uptime() - start;
  const used = process.cpuUsage(cpu);
  const after = await line.figures();
  const violationsIn = (figures: LineFigures): number =>
    figures.silenceViolations + figures.gapViolations + figures.collisions;
  return {
    share: (exchanges * exchangeMs(asked.baud, asked.registers)) / took,
    exchanges,
    faults,
    violations: violationsIn(after) - violationsIn(before),
    cpuShare: (used.user + used.system) / 1_000 / took,
  };
}

const round = (value: number): number => Math.round(value * 1_000) / 1_000;
