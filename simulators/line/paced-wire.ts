import type { SimulatorClock } from "../clock.ts";
import type { Chance } from "../seeded-chance.ts";
import type { LineEnd } from "./line-end.ts";
import type { Timetable } from "./timetable.ts";
import { SOUND_WIRE, type WireFaults } from "./wire-faults.ts";

export interface PacedWireOptions {
  /** Start bit, data, parity and stop bits, in ms. */
  readonly characterMs: number;
  readonly clock: SimulatorClock;
  readonly timetable: Timetable;
  readonly chance: Chance;
}

/** What a client sent in one piece, and when it was on the wire by the wire's own schedule. */
export interface Burst {
  readonly bytes: Buffer;
  readonly startMs: number;
  readonly endMs: number;
  /** How long the wire had been silent before it; infinite for the first. */
  readonly silenceMs: number;
  /** Whether a unit was sending meanwhile: neither is to be understood then. */
  readonly isCollision: boolean;
}

/** FT232R: a packet goes when it holds this much, however long its latency timer still runs. */
const ADAPTER_PACKET_BYTES = 62;

/**
 * A half-duplex wire behind a {@link LineEnd}. Each character takes its time: what the client writes reaches the units
 * when its last bit is over, and what a unit sends reaches the client character by character.
 */
export class PacedWire {
  faults: WireFaults = SOUND_WIRE;
  readonly #end: LineEnd;
  readonly #options: PacedWireOptions;
  #onBurst: (burst: Burst) => void = () => {};
  /** When the client's last character is over. */
  #clientUntilMs = Number.NEGATIVE_INFINITY;
  /** When the units' last character is over by the schedule, and when the last one was really handed over. */
  #unitsUntilMs = Number.NEGATIVE_INFINITY;
  #lastHandedMs = Number.NEGATIVE_INFINITY;
  #isGarbled = false;
  #held: number[] = [];
  /** What has arrived in this turn of the loop: handed over together, for a write costs more than many characters. */
  #arrived: number[] = [];

  constructor(end: LineEnd, options: PacedWireOptions) {
    this.#end = end;
    this.#options = options;
    end.onBytes((bytes) => this.#hear(bytes));
  }

  /** Called when the last character of what a client wrote in one piece is over. */
  onBurst(listener: (burst: Burst) => void): void {
    this.#onBurst = listener;
  }

  /** When the wire is free, by its schedule. */
  get freeAtMs(): number {
    return Math.max(this.#clientUntilMs, this.#unitsUntilMs);
  }

  /** A unit sends from `startMs`, or as soon as the wire is free. Returns when its last character is over. */
  send(bytes: Uint8Array, startMs: number): number {
    const { characterMs, timetable } = this.#options;
    const noise = Array.from({ length: this.faults.noiseBytes }, () => this.#randomByte());
    const start = Math.max(startMs, this.freeAtMs);
    this.#isGarbled = false;
    for (const [index, byte] of [...noise, ...bytes].entries()) {
      const damaged = this.#damaged(byte);
      timetable.at(start + (index + 1) * characterMs, () => this.#arrive(damaged));
    }
    this.#unitsUntilMs = start + (noise.length + bytes.length) * characterMs;
    return this.#unitsUntilMs;
  }

  #hear(bytes: Buffer): void {
    const { clock, characterMs, timetable } = this.#options;
    const now = clock.monotonicMs();
    const isCollision = now < this.#unitsUntilMs;
    if (isCollision) this.#isGarbled = true;
    const silentSince = Math.max(this.#clientUntilMs, this.#lastHandedMs);
    const startMs = Math.max(now, this.#clientUntilMs);
    const endMs = startMs + bytes.length * characterMs;
    this.#clientUntilMs = endMs;
    if (this.faults.echo) this.#repeat(bytes, startMs);
    const damaged = Buffer.from(bytes.map((byte) => this.#damaged(byte)));
    const silenceMs = startMs - silentSince;
    timetable.at(endMs, () => this.#onBurst({ bytes: damaged, startMs, endMs, silenceMs, isCollision }));
  }

  #repeat(bytes: Buffer, startMs: number): void {
    for (const [index, byte] of bytes.entries()) {
      this.#options.timetable.at(startMs + (index + 1) * this.#options.characterMs, () => this.#hand(byte));
    }
  }

  #arrive(byte: number): void {
    this.#lastHandedMs = this.#options.clock.monotonicMs();
    this.#hand(this.#isGarbled ? this.#randomByte() : byte);
  }

  #hand(byte: number): void {
    const { latencyMs } = this.faults;
    if (latencyMs === 0 && this.#held.length === 0) {
      if (this.#arrived.push(byte) === 1) queueMicrotask(() => this.#handArrived());
      return;
    }
    this.#held.push(byte);
    if (this.#held.length >= ADAPTER_PACKET_BYTES) this.#handHeld();
    else if (this.#held.length === 1) {
      this.#options.timetable.at(this.#options.clock.monotonicMs() + latencyMs, () => this.#handHeld());
    }
  }

  #handArrived(): void {
    this.#end.write(Uint8Array.from(this.#arrived));
    this.#arrived = [];
  }

  #handHeld(): void {
    if (this.#held.length > 0) this.#end.write(Uint8Array.from(this.#held));
    this.#held = [];
  }

  #damaged(byte: number): number {
    const { bitErrorRate } = this.faults;
    if (bitErrorRate === 0) return byte;
    let damaged = byte;
    for (let bit = 0; bit < 8; bit += 1) {
      if (this.#options.chance() < bitErrorRate) damaged ^= 1 << bit;
    }
    return damaged;
  }

  #randomByte(): number {
    return Math.floor(this.#options.chance() * 256);
  }
}
