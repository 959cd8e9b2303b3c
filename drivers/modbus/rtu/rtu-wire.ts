import type { BusHealth } from "../../../domain/line/line-health.ts";
import { after, type CancelTimer, type Clock, Millis, Uptime } from "../../../domain/time.ts";
import type { FrameSink } from "../../driver.ts";
import { scheduleGiveUp } from "../../give-up.ts";
import type { ByteLine } from "../../line/byte-line.ts";
import { waitUntil } from "../../line/wait-until.ts";
import type { Expectation } from "./rtu-frame.ts";
import { RtuLedger } from "./rtu-ledger.ts";
import { RtuReader } from "./rtu-reader.ts";
import { SETTLING_SILENCE } from "./rtu-timing.ts";

export interface RtuWireOptions {
  /** From the last character of the request to the answer; the time of both frames on the wire comes on top. */
  readonly requestTimeout: Millis;
  /** T3.5 of the line. */
  readonly silence: Millis;
  readonly clock: Clock;
  readonly frames: FrameSink;
}

/**
 * How a request ended. `silent`: no answer in time; `broken`: it came damaged, or with a length that was not asked for;
 * `babble`: not sent, the line is never quiet; `unwanted`: not sent, nobody waited any more; `lost`: the line is gone.
 */
export type RtuEnd =
  | { readonly kind: "answer"; readonly frame: Buffer }
  | { readonly kind: "silent" | "broken" | "babble" | "unwanted" | "lost" };

/** On top of twice the time-out: how long a line may babble before a request gives up. */
const BABBLE_MS = 1_000;

/** Between two looks at whether the line is quiet. */
const CONFIRM_MS = 10;

interface InFlight {
  readonly expected: Expectation;
  readonly settle: (end: RtuEnd) => void;
  cancelQuiet: CancelTimer | undefined;
  /** Whether the adapter's repetition of this request was taken out, or will not come. */
  isEchoTaken: boolean;
}

/** The two functions whose answer is the request itself (Modbus V1.1b3 §6.5, §6.6). */
const isOwnEcho = ({ functionCode }: Expectation): boolean => functionCode === 5 || functionCode === 6;

/**
 * One exchange at a time on a serial line: silence before the request, the answer found by length and checksum, what
 * else is heard thrown away and counted.
 */
export class RtuWire {
  readonly #line: ByteLine;
  readonly #options: RtuWireOptions;
  readonly #reader = new RtuReader();
  readonly #ledger: RtuLedger;
  readonly #over = new AbortController();
  #current: InFlight | undefined;
  /** When the wire last carried anything, as far as we know. */
  #usedUntil: Uptime;
  /** What the next request keeps. */
  #silence: Millis;
  /** Whether the adapter repeats what it sends. */
  #echo: "unknown" | "present" | "absent" = "unknown";

  constructor(line: ByteLine, options: RtuWireOptions) {
    this.#line = line;
    this.#options = options;
    this.#ledger = new RtuLedger(options.requestTimeout);
    this.#usedUntil = options.clock.uptime();
    this.#silence = options.silence;
    line.onBytes((bytes) => this.#receive(bytes));
  }

  health(): BusHealth {
    return this.#ledger.health();
  }

  /** The line is gone: what waits ends so. */
  lose(cause: unknown): void {
    this.#over.abort(cause);
    this.#current?.settle({ kind: "lost" });
  }

  /**
   * Asks once; to be called again only when it has settled. It keeps the wire until the answer or the time-out, also
   * when nobody wants it any more: the unit would talk into the next request. Never rejects.
   */
  async ask(expected: Expectation, isWanted: () => boolean): Promise<RtuEnd> {
    const hindrance = await this.#waitForQuiet(expected, isWanted);
    if (hindrance !== undefined) return { kind: hindrance };
    if (this.#over.signal.aborted) return { kind: "lost" };
    this.#ledger.asked(expected);
    const { promise, resolve } = Promise.withResolvers<RtuEnd>();
    const isEchoTaken = this.#echo === "absent";
    const current: InFlight = { expected, settle: resolve, cancelQuiet: undefined, isEchoTaken };
    this.#current = current;
    const cancelTimer = scheduleGiveUp(this.#options.clock, this.#patience(expected), () =>
      resolve({ kind: "silent" }),
    );
    this.#send(expected.request);
    const end = await promise;
    cancelTimer();
    current.cancelQuiet?.();
    this.#current = undefined;
    this.#conclude(expected, end);
    return end;
  }

  #send(request: Buffer): void {
    const { clock, frames } = this.#options;
    frames("sent", request);
    this.#usedUntil = after(clock.uptime(), Millis(request.length * this.#line.characterTime));
    // Only a lost line refuses it, and that is told to all that wait.
    this.#line.write(request, this.#over.signal).catch(() => {});
  }

  /** Until the line was quiet for long enough, and the unit owes no answer that could be taken for this one's. */
  async #waitForQuiet(
    expected: Expectation,
    isWanted: () => boolean,
  ): Promise<"lost" | "unwanted" | "babble" | undefined> {
    const { clock, requestTimeout } = this.#options;
    const patience = after(clock.uptime(), Millis(2 * requestTimeout + BABBLE_MS));
    while (!this.#over.signal.aborted) {
      if (!isWanted()) return "unwanted";
      const due = this.#quietFrom(expected);
      if (due <= clock.uptime()) {
        this.#noteRemains(undefined);
        return undefined;
      }
      if (clock.uptime() > patience) return "babble";
      // Rejects when the line is lost, which the loop sees.
      await waitUntil(clock, due, this.#over.signal).catch(() => {});
    }
    return "lost";
  }

  #quietFrom(expected: Expectation): Uptime {
    const quiet = after(this.#usedUntil, this.#silence);
    return Uptime(Math.max(quiet, this.#ledger.owedUntil(expected) ?? quiet));
  }

  #patience({ request, length }: Expectation): Millis {
    const onWire = (request.length + length) * this.#line.characterTime;
    return Millis(this.#options.requestTimeout + Math.ceil(onWire));
  }

  #receive(bytes: Uint8Array): void {
    this.#usedUntil = Uptime(Math.max(this.#usedUntil, this.#options.clock.uptime()));
    const current = this.#current;
    if (current === undefined) {
      this.#reader.push(bytes, undefined);
      return;
    }
    const answer = current.isEchoTaken
      ? this.#reader.push(bytes, current.expected)
      : this.#readPastEcho(bytes, current);
    if (answer === undefined) this.#watchQuiet(current);
    else this.#takeAnswer(answer, current);
  }

  /** An adapter with local echo hands over what was sent, before the answer; it must not be taken for one. */
  #readPastEcho(bytes: Uint8Array, current: InFlight): Buffer | undefined {
    const { expected } = current;
    this.#reader.push(bytes, undefined);
    // Whether the adapter repeats, only requests tell whose answer is another frame.
    if (this.#echo === "present" || !isOwnEcho(expected)) {
      if (this.#reader.beginsLike(expected.request)) return undefined;
      if (this.#reader.takeEcho(expected.request)) {
        this.#echo = "present";
        this.#ledger.echoed();
        current.isEchoTaken = true;
      }
    }
    return this.#reader.push(this.#reader.takeAll(), expected);
  }

  #takeAnswer(frame: Buffer, { expected, settle }: InFlight): void {
    // The unit answers when the wire is free, whatever our arithmetic says.
    this.#usedUntil = this.#options.clock.uptime();
    this.#options.frames("received", frame);
    if (this.#echo === "unknown" && !isOwnEcho(expected)) this.#echo = "absent";
    settle({ kind: "answer", frame });
  }

  /** Gives a broken answer up once nothing more comes, well before the time-out. */
  #watchQuiet(current: InFlight): void {
    if (current.cancelQuiet !== undefined) return;
    const { clock } = this.#options;
    let quietSeenAt: Uptime | undefined;
    const look = (): void => {
      const left = after(this.#usedUntil, SETTLING_SILENCE) - clock.uptime();
      // After a stall of this process its timers come before the bytes that wait: quiet counts when seen twice.
      if (left > 0 || quietSeenAt !== this.#usedUntil) {
        quietSeenAt = this.#usedUntil;
        current.cancelQuiet = clock.schedule(Millis(Math.max(CONFIRM_MS, left)), look);
        return;
      }
      current.cancelQuiet = undefined;
      if (this.#noteRemains(current.expected) === "broken-answer") current.settle({ kind: "broken" });
    };
    current.cancelQuiet = clock.schedule(SETTLING_SILENCE, look);
  }

  #conclude(expected: Expectation, end: RtuEnd): void {
    const { clock, silence } = this.#options;
    if (end.kind === "answer") {
      this.#silence = silence;
      this.#noteRemains(undefined);
      this.#ledger.answered(expected, end.frame);
    } else if (end.kind === "silent" || end.kind === "broken") {
      this.#noteRemains(expected);
      this.#silence = Millis(Math.max(silence, SETTLING_SILENCE));
      this.#ledger.failed(expected, end.kind, clock.uptime());
    }
  }

  #noteRemains(expected: Expectation | undefined): "broken-answer" | "nothing" {
    if (this.#reader.heldBytes === 0) return "nothing";
    const remains = this.#reader.takeRemains();
    this.#options.frames("received", remains.bytes);
    return this.#ledger.noteRemains(remains, expected);
  }
}
