import assert from "node:assert/strict";
import { DeviceFault } from "../../domain/errors.ts";
import type { PointDefinition } from "../../domain/point.ts";
import type { PointValue } from "../../domain/reading.ts";
import { Millis } from "../../domain/time.ts";
import type { Exchange, KeepAlive, Sample, SampleSink, UnitSession } from "../driver.ts";
import { compileScale, rawOf } from "../scale.ts";
import type { Board } from "./board.ts";
import type { FirmataAddress } from "./firmata-address.ts";

type Point = PointDefinition<FirmataAddress>;

const KEEP_ALIVE = Millis(1_000);
const PWM_MAX = 255;

/** Firmata answers for one pin at a time. */
class FirmataExchange implements Exchange<FirmataAddress> {
  readonly points: readonly Point[];
  readonly label: string;
  readonly point: Point;

  constructor(point: Point) {
    this.point = point;
    this.points = [point];
    this.label = `read ${placeText(point.address)}`;
  }
}

/**
 * A board's pins. It holds its outputs when the gateway dies (StandardFirmata has no watchdog), so the first thing that a new session
 * does is to bring every output it knows of to its safe value (DOMAIN E.7, rule 33).
 */
export class FirmataUnit implements UnitSession<FirmataAddress> {
  readonly keepAlive: KeepAlive;
  readonly #board: Board;
  readonly #known = new Map<string, Point>();
  readonly #configured = new Set<string>();
  #subscribed: { readonly points: readonly Point[]; readonly sink: SampleSink } | undefined;

  constructor(board: Board) {
    this.#board = board;
    this.keepAlive = { every: KEEP_ALIVE, exchange: (signal) => this.#keepAlive(signal) };
    board.onTold((told) => {
      for (const point of this.#subscribed?.points ?? []) {
        const { address } = point;
        const isIt =
          told.kind === "analog"
            ? address.mode === "analog" && address.channel === told.channel
            : address.mode === "input" && address.pin === told.pin;
        if (isIt) this.#subscribed?.sink.tell(point, sampleOf(point, told.value));
      }
    });
  }

  plan(points: readonly Point[]): readonly Exchange<FirmataAddress>[] {
    for (const point of points) this.#known.set(placeText(point.address), point);
    return points.map((point) => new FirmataExchange(point));
  }

  async exchange(exchange: Exchange<FirmataAddress>, signal: AbortSignal): Promise<readonly Sample[]> {
    assert(exchange instanceof FirmataExchange, "an exchange comes from plan() of the same driver");
    signal.throwIfAborted();
    const { point, label } = exchange;
    const missing = this.#prepare(point);
    if (missing !== undefined)
      return [{ fault: new DeviceFault("unknown-address", label, { cause: missing }) }];
    return [sampleOf(point, await this.#read(point.address, label, signal))];
  }

  async write(point: Point, value: PointValue, signal: AbortSignal): Promise<void> {
    const label = `write ${JSON.stringify(value)} to ${placeText(point.address)}`;
    signal.throwIfAborted();
    const missing = this.#prepare(point);
    if (missing !== undefined) throw new DeviceFault("unknown-address", label, { cause: missing });
    const level = levelOf(point, value);
    if (level === undefined)
      throw new DeviceFault("refused-by-device", label, {
        cause: new Error("not sent: no such level for this pin"),
      });
    this.#put(point.address, level);
    // Firmata acknowledges nothing; that the board still answers afterwards is all there is.
    if (point.address.mode === "output" || point.address.mode === "pwm")
      await this.#board.readOutput(point.address.pin, label, signal);
  }

  tellsByItself({ address }: Point): boolean {
    return address.mode === "input" || address.mode === "analog";
  }

  async subscribe(points: readonly Point[], sink: SampleSink, signal: AbortSignal): Promise<void> {
    this.#subscribed = { points, sink };
    for (const point of points) this.#known.set(placeText(point.address), point);
    for (const point of points) {
      const missing = this.#prepare(point);
      if (missing !== undefined) {
        const fault = new DeviceFault("unknown-address", `read ${placeText(point.address)}`, {
          cause: missing,
        });
        sink.tell(point, { fault });
      } else this.#board.report(point.address);
    }
    await new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
      if (signal.aborted) resolve();
    });
    this.#subscribed = undefined;
  }

  async #keepAlive(signal: AbortSignal): Promise<void> {
    await this.#board.askVersion("ask the board for its version", signal);
    this.#subscribed?.sink.confirm();
  }

  async #read(address: FirmataAddress, label: string, signal: AbortSignal): Promise<number> {
    if (address.mode === "analog") return await this.#board.readAnalog(address.channel, label, signal);
    if (address.mode === "input") return await this.#board.readDigital(address.pin, label, signal);
    return await this.#board.readOutput(address.pin, label, signal);
  }

  /**
   * Sets the modes of all pins that are known, at their first use and outputs before everything else: a port is told whole, so
   * its inputs have to be inputs before it is. Why the board has no such pin, else nothing.
   */
  #prepare(point: Point): Error | undefined {
    this.#known.set(placeText(point.address), point);
    const known = [...this.#known.values()];
    for (const other of known.filter(isOutput)) this.#configure(other);
    for (const other of known) this.#configure(other);
    return this.#configure(point);
  }

  #configure(point: Point): Error | undefined {
    const { address } = point;
    const place = placeText(address);
    if (!this.#has(address)) return new Error(`the board has no ${place}: see its pins and the profile`);
    if (this.#configured.has(place)) return undefined;
    this.#configured.add(place);
    if (address.mode === "analog") this.#board.setAnalog(address.channel);
    else if (address.mode === "input")
      this.#board.setMode(address.pin, address.pull === "up" ? "PULLUP" : "INPUT");
    else this.#configureOutput(point, address);
    return undefined;
  }

  #configureOutput(point: Point, address: Extract<FirmataAddress, { mode: "output" | "pwm" }>): void {
    this.#board.setMode(address.pin, address.mode === "pwm" ? "PWM" : "OUTPUT");
    const safe = point.safeValue ?? (address.mode === "pwm" ? (point.range?.min ?? 0) : false);
    this.#put(address, levelOf(point, safe) ?? 0);
  }

  #has(address: FirmataAddress): boolean {
    switch (address.mode) {
      case "analog":
        return this.#board.hasChannel(address.channel);
      case "input":
        return this.#board.canBe(address.pin, address.pull === "up" ? "PULLUP" : "INPUT");
      case "output":
        return this.#board.canBe(address.pin, "OUTPUT");
      default:
        return this.#board.canBe(address.pin, "PWM");
    }
  }

  #put(address: FirmataAddress, level: number): void {
    if (address.mode === "pwm") this.#board.pwmWrite(address.pin, level);
    else if (address.mode === "output") this.#board.digitalWrite(address.pin, level === 0 ? 0 : 1);
  }
}

function isOutput({ address }: Point): boolean {
  return address.mode === "output" || address.mode === "pwm";
}

function placeText(address: FirmataAddress): string {
  return address.mode === "analog"
    ? `analog channel ${address.channel}`
    : `${address.mode} pin ${address.pin}`;
}

function sampleOf(point: Point, level: number): Sample {
  const { address } = point;
  if (address.mode === "input" || address.mode === "output")
    return { value: (level !== 0) === (address.active === "high"), takenAt: null };
  if (point.sentinels?.includes(level) === true) return { sentinel: level };
  const value = compileScale(point.scale)(level);
  if (value !== null) return { value, takenAt: null };
  return { fault: new DeviceFault("malformed-reply", `read ${placeText(address)}`) };
}

/** The pin's level for the value; `undefined`: there is none. */
function levelOf(point: Point, value: PointValue): number | undefined {
  const { address } = point;
  if (address.mode === "output")
    return typeof value === "boolean" ? Number(value === (address.active === "high")) : undefined;
  if (address.mode !== "pwm" || typeof value !== "number") return undefined;
  const raw = rawOf(value, point.scale);
  const level = raw === null ? Number.NaN : Math.round(raw);
  return level >= 0 && level <= PWM_MAX ? level : undefined;
}
