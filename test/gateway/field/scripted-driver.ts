import { DeviceFault, type FaultCode } from "../../../domain/errors.ts";
import type { PointDefinition } from "../../../domain/point.ts";
import type { PointValue } from "../../../domain/reading.ts";
import { type Clock, Millis } from "../../../domain/time.ts";
import type {
  Bus,
  Driver,
  DriverContext,
  Exchange,
  Footprint,
  HoleMap,
  KeepAlive,
  Sample,
  SampleSink,
  UnitSession,
} from "../../../drivers/driver.ts";

export interface ScriptedAddress {
  readonly register: number;
}

/** A unit whose behaviour a test sets; it journals what happened to it. */
export class ScriptedUnit {
  readonly values = new Map<number, PointValue>();
  /** Registers that answer "illegal address". */
  readonly holes = new Set<number>();
  /** Answers nothing at all. */
  isSilent = false;
  /** Answers nothing to writes, which it may still carry out. */
  losesWriteAnswers = false;
  refusesWrites = false;
  /** What a write does; default: the register takes the value. */
  onWrite: (register: number, value: PointValue) => void = (register, value) =>
    this.values.set(register, value);
  latencyMs = 10;
  /** Registers that the unit tells by itself. */
  readonly tells = new Set<number>();
  /** How often its conversation is kept alive; what it has to tell comes with the answer. Absent: it tells at once. */
  keepAliveMs: number | undefined;
  /** Subscriptions that were taken, and the last one's points and sink. */
  subscriptions = 0;
  subscription:
    | { readonly points: readonly PointDefinition<ScriptedAddress>[]; readonly sink: SampleSink }
    | undefined;
  /** Ends the subscription with a fault. */
  giveUp: (fault: DeviceFault) => void = () => undefined;
  /** Told with the next keep-alive. */
  readonly pending: { readonly register: number; readonly sample: Sample }[] = [];
  /** What an action does and returns. @throws {DeviceFault} */
  onInvoke: (register: number, args: readonly PointValue[]) => PointValue | undefined = () => undefined;
  /** Samples that are given in place of a value. */
  readonly samples = new Map<number, Sample>();
}

export interface LineEvent {
  readonly unit: string;
  readonly kind: "read" | "write" | "timeout";
  readonly start: number;
  readonly end: number;
  readonly label: string;
}

const MERGE_GAP = 2;
const BLOCK_MAX = 16;

/** Tells what stands at a register, or this sample, through the unit's subscription. */
export function tell(unit: ScriptedUnit, register: number, sample: Sample = sampleOf(unit, register)): void {
  const point = unit.subscription?.points.find(({ address }) => address.register === register);
  if (point !== undefined) unit.subscription?.sink.tell(point, sample);
}

/** A whole driver over units that live in memory: merges neighbours, takes line time, times out, loses its line. */
export class ScriptedDriver implements Driver<unknown, ScriptedAddress> {
  readonly name = "scripted";
  readonly units: ReadonlyMap<string, ScriptedUnit>;
  readonly events: LineEvent[] = [];
  /** Most exchanges that were ever on the line together: must be 1. */
  concurrent = 0;
  opened = 0;
  isUnreachable = false;
  #busy = 0;
  #cut: ((cause: unknown) => void) | undefined;

  constructor(units: Readonly<Record<string, ScriptedUnit>>) {
    this.units = new Map(Object.entries(units));
  }

  parseBusConfig(data: unknown): unknown {
    return data;
  }
  parseAddress(data: unknown): ScriptedAddress {
    return { register: Number(data) };
  }
  parseUnitAddress(data: unknown): string {
    return String(data);
  }
  footprint(address: ScriptedAddress): Footprint {
    return { space: "register", first: address.register, count: 1 };
  }

  async openBus(
    _config: unknown,
    context: DriverContext,
    signal: AbortSignal,
  ): Promise<Bus<ScriptedAddress>> {
    signal.throwIfAborted();
    await Promise.resolve();
    if (this.isUnreachable) throw new DeviceFault("connection-lost", "open the scripted line");
    this.opened += 1;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#cut = resolve;
    return {
      lost: promise,
      openSession: (unit) => new ScriptedSession(this, unit, context),
      [Symbol.asyncDispose]: () => Promise.resolve(resolve("closed")),
    };
  }

  /** Pulls the cable. */
  cut(): void {
    this.#cut?.(new Error("the cable was pulled"));
  }

  async occupy<T>(event: Omit<LineEvent, "start" | "end">, clock: Clock, work: () => Promise<T>): Promise<T> {
    this.#busy += 1;
    this.concurrent = Math.max(this.concurrent, this.#busy);
    const start = clock.uptime();
    let kind = event.kind;
    try {
      return await work();
    } catch (error) {
      if (error instanceof DeviceFault && error.code === "timeout") kind = "timeout";
      throw error;
    } finally {
      this.#busy -= 1;
      this.events.push({ ...event, kind, start, end: clock.uptime() });
    }
  }

  timeOf(unit: string, kinds: readonly LineEvent["kind"][] = ["read", "write", "timeout"]): number {
    return this.events
      .filter((event) => event.unit === unit && kinds.includes(event.kind))
      .reduce((sum, event) => sum + event.end - event.start, 0);
  }
}

class ScriptedSession implements UnitSession<ScriptedAddress> {
  readonly keepAlive?: KeepAlive;
  readonly #driver: ScriptedDriver;
  readonly #unit: string;
  readonly #context: DriverContext;

  constructor(driver: ScriptedDriver, unit: string, context: DriverContext) {
    this.#driver = driver;
    this.#unit = unit;
    this.#context = context;
    const every = driver.units.get(unit)?.keepAliveMs;
    if (every !== undefined)
      this.keepAlive = { every: Millis(every), exchange: (signal) => this.#stayAlive(signal) };
  }

  tellsByItself(point: PointDefinition<ScriptedAddress>): boolean {
    return this.#driver.units.get(this.#unit)?.tells.has(point.address.register) === true;
  }

  async subscribe(
    points: readonly PointDefinition<ScriptedAddress>[],
    sink: SampleSink,
    signal: AbortSignal,
  ): Promise<void> {
    const unit = this.#driver.units.get(this.#unit);
    if (unit === undefined) throw this.#fault("timeout");
    unit.subscriptions += 1;
    unit.subscription = { points, sink };
    await new Promise<void>((resolve, reject) => {
      unit.giveUp = reject;
      signal.addEventListener("abort", () => resolve(), { once: true });
      for (const point of points) if (point.event !== true) tell(unit, point.address.register);
    });
  }

  async invoke(
    point: PointDefinition<ScriptedAddress>,
    args: readonly PointValue[],
    signal: AbortSignal,
  ): Promise<PointValue | undefined> {
    const label = `${point.address.register}(${args.join(",")})`;
    return await this.#driver.occupy(
      { unit: this.#unit, kind: "write", label },
      this.#context.clock,
      async () => {
        const unit = await this.#answer(signal);
        return unit.onInvoke(point.address.register, args);
      },
    );
  }

  async #stayAlive(signal: AbortSignal): Promise<void> {
    const event = { unit: this.#unit, kind: "read", label: "keep-alive" } as const;
    await this.#driver.occupy(event, this.#context.clock, async () => {
      const unit = await this.#answer(signal);
      for (const { register, sample } of unit.pending.splice(0)) tell(unit, register, sample);
      unit.subscription?.sink.confirm();
    });
  }

  plan(
    points: readonly PointDefinition<ScriptedAddress>[],
    holes: HoleMap,
  ): readonly Exchange<ScriptedAddress>[] {
    const sorted = points.toSorted((left, right) => left.address.register - right.address.register);
    const blocks: PointDefinition<ScriptedAddress>[][] = [];
    for (const point of sorted) {
      const block = blocks.at(-1);
      const first = block?.[0]?.address.register ?? 0;
      const last = block?.at(-1)?.address.register ?? 0;
      const register = point.address.register;
      const fits = register - last <= MERGE_GAP + 1 && register - first < BLOCK_MAX;
      if (block !== undefined && fits && !holes.has("register", first, register - first + 1))
        block.push(point);
      else blocks.push([point]);
    }
    return blocks.map((block) => ({
      points: block,
      label: block.map((point) => point.address.register).join(","),
    }));
  }

  async exchange(exchange: Exchange<ScriptedAddress>, signal: AbortSignal): Promise<readonly Sample[]> {
    const event = { unit: this.#unit, kind: "read", label: exchange.label } as const;
    return await this.#driver.occupy(event, this.#context.clock, async () => {
      const unit = await this.#answer(signal);
      const registers = exchange.points.map((point) => point.address.register);
      for (let register = Math.min(...registers); register <= Math.max(...registers); register += 1) {
        if (unit.holes.has(register)) throw this.#fault("unknown-address");
      }
      return registers.map((register) => unit.samples.get(register) ?? sampleOf(unit, register));
    });
  }

  async write(
    point: PointDefinition<ScriptedAddress>,
    value: PointValue,
    signal: AbortSignal,
  ): Promise<void> {
    const event = { unit: this.#unit, kind: "write", label: `${point.address.register}=${value}` } as const;
    await this.#driver.occupy(event, this.#context.clock, async () => {
      const unit = await this.#answer(signal);
      if (unit.refusesWrites) throw this.#fault("refused-by-device");
      unit.onWrite(point.address.register, value);
      if (!unit.losesWriteAnswers) return;
      await this.#context.clock.sleep(this.#context.requestTimeout, signal);
      throw this.#fault("timeout");
    });
  }

  async #answer(signal: AbortSignal): Promise<ScriptedUnit> {
    const { clock, requestTimeout } = this.#context;
    this.#context.frames("sent", new Uint8Array([1, 3]));
    const unit = this.#driver.units.get(this.#unit);
    if (unit !== undefined && !unit.isSilent) {
      await clock.sleep(Millis(unit.latencyMs), signal);
      return unit;
    }
    await clock.sleep(requestTimeout, signal);
    throw this.#fault("timeout");
  }

  #fault(code: FaultCode): DeviceFault {
    return new DeviceFault(code, `exchange with unit ${this.#unit}`);
  }
}

function sampleOf(unit: ScriptedUnit, register: number): Sample {
  return { value: unit.values.get(register) ?? 0, takenAt: null };
}
