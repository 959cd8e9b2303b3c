import pino from "pino";
import type { Test } from "tap";
import { DeviceFault, type FaultCode } from "../../domain/errors.ts";
import type { LineCount } from "../../domain/line/line-health.ts";
import type { PointDefinition } from "../../domain/point.ts";
import type { PointValue } from "../../domain/reading.ts";
import { Millis } from "../../domain/time.ts";
import {
  type Bus,
  type Driver,
  NO_HOLES,
  type Sample,
  type SiteFolders,
  type UnitSession,
} from "../../drivers/driver.ts";
import { CountingClock } from "./counting-clock.ts";

/** A driver and all that its test gives the suite: what it must refuse, and a unit to speak to. */
export interface ConformanceSubject<BusConfig, Address> {
  readonly driver: Driver<BusConfig, Address>;
  readonly refusedBusConfigs: readonly Refusal[];
  readonly refusedAddresses: readonly (Refusal & { readonly point: PointKind })[];
  readonly refusedUnitAddresses: readonly unknown[];
  /** Default 150 ms: for a unit that is slower than that. */
  readonly requestTimeout?: Millis;
  /** What its buses count beside requests, answers, retries and silences. Absent: they count nothing. */
  readonly counts?: readonly LineCount[];
  /** A unit of its own on a line of its own, each time. */
  openUnit(): Promise<SimulatedUnit>;
}
export type PointKind = Pick<PointDefinition, "type" | "access">;

export interface Refusal {
  readonly name: string;
  readonly data: unknown;
  /** JSON pointer of the first thing wrong. */
  readonly pointer: string;
}

/** A unit that answers as told. Addresses and configurations are as a profile and a site file write them. */
export interface SimulatedUnit extends AsyncDisposable {
  readonly busConfig: unknown;
  /** Where the driver may keep files, if it does. */
  readonly folders?: SiteFolders;
  readonly unitAddress: unknown;
  /** At least three, of different values, needing at least two exchanges; what the unit holds in each. */
  readonly points: readonly { readonly definition: PointDefinition; readonly value: PointValue }[];
  /** A point that the unit does not have. */
  readonly unknown: PointDefinition;
  /** A point and a value that the unit takes; it is among {@link points}. */
  readonly writable: { readonly definition: PointDefinition; readonly value: PointValue };
  /** A point and a value that the unit itself refuses. */
  readonly refused: { readonly definition: PointDefinition; readonly value: PointValue };
  /** Requests are taken and not answered, until {@link speak}. */
  fallSilent(): void;
  speak(): void;
  /** The next request is answered after `delayMs`, the following ones at once. */
  answerNextLate(delayMs: number): void;
  /** The next answer is none that the protocol knows. */
  answerNextMalformed(): void;
  /** Ends the line from the other side and can be reached again. */
  cut(): void;
  /** Lines that are open now, as the unit sees it. */
  openLines(): number;
}

/** For one request; every unit of a subject answers well within it. */
export const REQUEST_TIMEOUT = Millis(150);

export interface Line<A> extends AsyncDisposable {
  readonly unit: SimulatedUnit;
  readonly clock: CountingClock;
  readonly bus: Bus<A>;
  readonly session: UnitSession<A>;
  readonly points: readonly PointDefinition<A>[];
  readonly unknown: PointDefinition<A>;
  /** Point name to value. */
  readonly expected: ReadonlyMap<string, PointValue>;
  readonly signal: AbortSignal;
}

export async function openLine<B, A>(subject: ConformanceSubject<B, A>): Promise<Line<A>> {
  const unit = await subject.openUnit();
  const clock = new CountingClock();
  const { signal } = new AbortController();
  const bus = await openBus(subject, unit, { clock, signal });
  return {
    unit,
    clock,
    bus,
    signal,
    session: bus.openSession(
      subject.driver.parseUnitAddress(unit.unitAddress, configOf(subject.driver, unit)),
      [],
    ),
    points: unit.points.map(({ definition }) => pointOf(subject, definition)),
    unknown: pointOf(subject, unit.unknown),
    expected: new Map(unit.points.map(({ definition, value }) => [definition.name, value])),
    async [Symbol.asyncDispose]() {
      await bus[Symbol.asyncDispose]();
      await unit[Symbol.asyncDispose]();
    },
  };
}

export async function openBus<B, A>(
  { driver, requestTimeout = REQUEST_TIMEOUT }: ConformanceSubject<B, A>,
  unit: SimulatedUnit,
  { clock, signal }: { readonly clock: CountingClock; readonly signal: AbortSignal },
): Promise<Bus<A>> {
  const context = {
    clock,
    logger: pino({ enabled: false }),
    requestTimeout,
    frames: () => {},
  };
  return await driver.openBus(configOf(driver, unit), context, signal);
}

export function configOf<B, A>(driver: Driver<B, A>, unit: SimulatedUnit): B {
  return driver.parseBusConfig(unit.busConfig, unit.folders);
}

export function pointOf<B, A>(
  { driver }: ConformanceSubject<B, A>,
  definition: PointDefinition,
): PointDefinition<A> {
  return { ...definition, address: driver.parseAddress(definition.address, definition) };
}

export async function readFirst<A>(line: Line<A>, signal = line.signal): Promise<readonly Sample[]> {
  const [exchange] = line.session.plan(line.points, NO_HOLES);
  if (exchange === undefined) throw new Error("the plan is empty");
  return await line.session.exchange(exchange, signal);
}

export async function readAll<A>(line: Line<A>): Promise<ReadonlyMap<string, unknown>> {
  const values = new Map<string, unknown>();
  for (const exchange of line.session.plan(line.points, NO_HOLES)) {
    const samples = await line.session.exchange(exchange, line.signal);
    if (samples.length !== exchange.points.length) throw new Error("not one sample per point");
    for (const [index, { name }] of exchange.points.entries()) {
      const sample = samples[index];
      values.set(name, sample !== undefined && "value" in sample ? sample.value : sample);
    }
  }
  return values;
}

/** Some protocols reject the exchange, some the single point. */
export async function faultOfRead<A>(
  line: Line<A>,
  point: PointDefinition<A>,
): Promise<FaultCode | undefined> {
  const [exchange] = line.session.plan([point], NO_HOLES);
  if (exchange === undefined) throw new Error("the plan is empty");
  try {
    const [sample] = await line.session.exchange(exchange, line.signal);
    return sample !== undefined && "fault" in sample ? sample.fault.code : undefined;
  } catch (error) {
    if (error instanceof DeviceFault) return error.code;
    throw error;
  }
}

export async function faultCode(t: Test, promise: Promise<unknown>): Promise<FaultCode | "no fault"> {
  try {
    await promise;
    return "no fault";
  } catch (error) {
    t.ok(error instanceof DeviceFault, `only a DeviceFault leaves a driver: ${String(error)}`);
    return error instanceof DeviceFault ? error.code : "no fault";
  }
}
