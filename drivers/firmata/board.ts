import library, { type Firmata } from "firmata-io";
import five from "johnny-five";
import { DeviceFault } from "../../domain/errors.ts";
import type { BusHealth } from "../../domain/line/line-health.ts";
import { type Clock, Millis, since, type Uptime } from "../../domain/time.ts";
import { scheduleGiveUp } from "../give-up.ts";
import type { ByteLine } from "../line/byte-line.ts";
import { LineLedger } from "../line/line-ledger.ts";
import { LineLoss } from "../line/line-loss.ts";
import { BoardTransport } from "./board-transport.ts";
import type { FirmataBusConfig } from "./firmata-config.ts";
import { keepAsking } from "./handshake.ts";

/** A line has one board. */
const UNIT = 0;
/** How long firmata-io waits for a board that announces itself before it asks, ms. */
const ANNOUNCE_MS = 300;

export interface BoardParts {
  readonly line: ByteLine;
  /** When the line is gone, or brought what makes no sense. */
  readonly lost: Promise<unknown>;
  readonly config: FirmataBusConfig;
  readonly frames: (direction: "sent" | "received", bytes: Uint8Array) => void;
  readonly clock: Clock;
  readonly requestTimeout: Millis;
}

type Told =
  | { readonly kind: "digital"; readonly pin: number; readonly value: number }
  | { readonly kind: "analog"; readonly channel: number; readonly value: number };

/** One board under johnny-five, from its handshake to the end of its line. */
export class Board {
  readonly #parts: BoardParts;
  readonly #io: Firmata;
  readonly #transport: BoardTransport;
  readonly #ledger = new LineLedger(["shortFrames", "lateReplies", "noiseBytes"]);
  readonly #end: AbortController;
  readonly #loss: LineLoss;
  #five: five.Board | undefined;
  #givenUpAt: Uptime | undefined;
  /** The event by which the answer would come that was given up. */
  #owed = "";
  readonly #countLate = (): void => this.#ledger.count("lateReplies");
  #listener: ((told: Told) => void) | undefined;

  private constructor(parts: BoardParts, onDefect: (cause: Error) => void) {
    this.#parts = parts;
    this.#end = new AbortController();
    this.#loss = new LineLoss(parts);
    const { line, frames, config } = parts;
    this.#transport = new BoardTransport(line, { frames, onDefect, ledger: this.#ledger }, this.#end.signal);
    this.#io = new library.Firmata(this.#transport, {
      reportVersionTimeout: ANNOUNCE_MS,
      samplingInterval: config.samplingInterval,
    });
    // An event without a listener named error ends the process.
    this.#io.on("error", onDefect);
    this.#io.on("digital-read", (told: { pin: number; value: number }) =>
      this.#listener?.({ kind: "digital", ...told }),
    );
    this.#io.on("analog-read", (told: { pin: number; value: number }) =>
      this.#listener?.({ kind: "analog", channel: told.pin, value: told.value }),
    );
  }

  /** @throws {DeviceFault} `connection-lost` when the board does not tell its capabilities in time or tells nonsense; or the signal's reason. */
  static async open(
    parts: BoardParts,
    onDefect: (cause: Error) => void,
    signal: AbortSignal,
  ): Promise<Board> {
    const board = new Board(parts, onDefect);
    try {
      await board.#start(signal);
      return board;
    } catch (error) {
      board.close();
      throw error;
    }
  }

  health(): BusHealth {
    return this.#ledger.health();
  }

  /** The number of pins that it told. */
  get pinCount(): number {
    return this.#io.pins.length;
  }

  canBe(pin: number, mode: "INPUT" | "OUTPUT" | "PWM" | "PULLUP"): boolean {
    return this.#io.pins[pin]?.supportedModes.includes(this.#io.MODES[mode]) === true;
  }

  hasChannel(channel: number): boolean {
    return this.#io.pins.some((pin) => pin.analogChannel === channel);
  }

  setMode(pin: number, mode: "INPUT" | "OUTPUT" | "PWM" | "PULLUP"): void {
    this.#getFive().pinMode(pin, this.#io.MODES[mode]);
  }

  setAnalog(channel: number): void {
    this.#getFive().pinMode(channel, this.#io.MODES.ANALOG);
  }

  digitalWrite(pin: number, value: 0 | 1): void {
    this.#getFive().digitalWrite(pin, value);
  }

  /** `value`: 0 … 255. */
  pwmWrite(pin: number, value: number): void {
    this.#getFive().analogWrite(pin, value);
  }

  /** What is told from now on, asked or not. */
  onTold(listener: (told: Told) => void): void {
    this.#listener = listener;
  }

  /** Has the pin's port, or the channel, told as it stands and whenever it changes. */
  report(place: { readonly pin: number } | { readonly channel: number }): void {
    if ("pin" in place) this.#io.reportDigitalPin(place.pin, 1);
    else this.#io.reportAnalogPin(place.channel, 1);
  }

  /** Level of an input pin: the board tells its whole port when it is asked to report it. @throws {DeviceFault} */
  async readDigital(pin: number, label: string, signal: AbortSignal): Promise<number> {
    return await this.#ask<number>(`digital-read-${pin}`, () => this.report({ pin }), {
      label,
      signal,
    });
  }

  /** 0 … 1023. @throws {DeviceFault} */
  async readAnalog(channel: number, label: string, signal: AbortSignal): Promise<number> {
    return await this.#ask<number>(`analog-read-${channel}`, () => this.report({ channel }), {
      label,
      signal,
    });
  }

  /** What the board itself has as the pin's output. @throws {DeviceFault} */
  async readOutput(pin: number, label: string, signal: AbortSignal): Promise<number> {
    await this.#ask(`pin-state-${pin}`, () => this.#io.queryPinState(pin, () => {}), { label, signal });
    return this.#io.pins[pin]?.state ?? 0;
  }

  /** Whether it is there. @throws {DeviceFault} */
  async askVersion(label: string, signal: AbortSignal): Promise<void> {
    await this.#ask("reportversion", () => this.#io.reportVersion(() => {}), { label, signal });
  }

  /** johnny-five keeps every board for ever: what is left of this one is an empty shell. */
  close(): void {
    this.#end.abort();
    this.#listener = undefined;
    this.#transport.close();
    this.#io.removeAllListeners();
    this.#io.on("error", () => {});
  }

  async #start(signal: AbortSignal): Promise<void> {
    const label = `start the board on ${this.#parts.line.label}`;
    const { config, clock } = this.#parts;
    const stopAsking = keepAsking(this.#io, (bytes) => this.#transport.write(bytes), clock);
    try {
      const wait = { label, signal, within: config.startTimeout, lateAs: "connection-lost" } as const;
      await this.#once("ready", wait, () => this.#transport.emit("open"));
    } finally {
      stopAsking();
    }
    // Its own SIGINT handling would end the process before the store is flushed, and its prompt would take the terminal.
    const options = { io: this.#io, repl: false, sigint: false, debug: false };
    const board = new five.Board(options as five.BoardOption);
    this.#five = board;
    await new Promise<void>((resolve) => board.on("ready", () => resolve()));
  }

  /** Firmata numbers no requests: after one that was given up, its answer is waited out before the next. */
  async #ask<Answer>(
    event: string,
    ask: () => void,
    { label, signal }: { readonly label: string; readonly signal: AbortSignal },
  ): Promise<Answer> {
    const { clock, requestTimeout: within } = this.#parts;
    const left = this.#givenUpAt === undefined ? 0 : within - since(this.#givenUpAt, clock.uptime());
    if (left > 0) await clock.sleep(Millis(left), signal);
    this.#givenUpAt = undefined;
    this.#io.off(this.#owed, this.#countLate);
    this.#ledger.asked(UNIT);
    try {
      const answer = await this.#once<Answer>(event, { label, signal, within, lateAs: "timeout" }, ask);
      this.#ledger.answered(UNIT, "rightly");
      return answer;
    } catch (error) {
      if (isTimeout(error)) this.#ledger.failed(UNIT, "silent");
      this.#givenUpAt = clock.uptime();
      this.#owed = event;
      this.#io.once(event, this.#countLate);
      throw error;
    }
  }

  async #once<Answer>(
    event: string,
    wait: {
      readonly label: string;
      readonly signal: AbortSignal;
      readonly within: Millis;
      readonly lateAs: "timeout" | "connection-lost";
    },
    begin: () => void,
  ): Promise<Answer> {
    const { label, signal, within, lateAs } = wait;
    signal.throwIfAborted();
    const { clock } = this.#parts;
    const answer = Promise.withResolvers<Answer>();
    answer.promise.catch(() => {});
    const onAbort = (): void => answer.reject(signal.reason);
    const cancel = scheduleGiveUp(clock, within, () => answer.reject(new DeviceFault(lateAs, label)));
    signal.addEventListener("abort", onAbort, { once: true });
    this.#io.once(event, answer.resolve);
    const stopWatching = this.#loss.onLost((cause) =>
      answer.reject(new DeviceFault("connection-lost", label, { cause })),
    );
    try {
      begin();
      return await answer.promise;
    } finally {
      cancel();
      stopWatching();
      signal.removeEventListener("abort", onAbort);
      this.#io.off(event, answer.resolve);
    }
  }

  #getFive(): five.Board {
    if (this.#five === undefined) throw new Error("a board is used before its handshake");
    return this.#five;
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof DeviceFault && error.code === "timeout";
}
