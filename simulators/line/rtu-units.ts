import type { SimulatorClock } from "../clock.ts";
import { answerPdu, describeWrite, exceptionPdu } from "../modbus/answer-pdu.ts";
import { executionOf, FaultPlan, type FaultSpec } from "../modbus/fault-plan.ts";
import { ModbusException, type RegisterBank, type RequestOrigin } from "../modbus/register-bank.ts";
import { isWriteFunction } from "../modbus/request-pdu.ts";
import type { Burst, PacedWire } from "./paced-wire.ts";
import { decodeRtu, distortedRtu, encodeRtu } from "./rtu-frame.ts";
import type { Timetable } from "./timetable.ts";

export interface RtuUnitsOptions {
  /** Unit id (1..247) to what stands behind it. A unit that is not here is silent. */
  readonly units: ReadonlyMap<number, RegisterBank>;
  readonly wire: PacedWire;
  readonly timetable: Timetable;
  readonly clock: SimulatorClock;
  readonly baud: number;
  readonly characterMs: number;
  /** What a unit thinks, between the silence after a request and its answer. */
  readonly turnaroundMs: number;
}

/** What the line itself saw. */
export interface LineFigures {
  /** Requests that were understood, of whatever unit. */
  readonly requests: number;
  readonly answers: number;
  /** Frames that began less than 3.5 characters (1.75 ms above 19,200 baud) after what was on the wire before. */
  readonly silenceViolations: number;
  /** Gaps of more than 1.5 characters (0.75 ms above 19,200 baud) inside a frame. */
  readonly gapViolations: number;
  /** Frames with a wrong checksum, or while a unit was sending: nobody answers them. */
  readonly damaged: number;
  readonly collisions: number;
}

/** Functions 1 to 6, 15 and 16 on a serial line: MODBUS over Serial Line V1.02 §2.4 and §2.5.1. */
export class RtuUnits {
  readonly faults: FaultPlan;
  readonly #options: RtuUnitsOptions;
  /** T1.5 and T3.5, §2.5.1.1. */
  readonly #gapMs: number;
  readonly #silenceMs: number;
  #frame: Buffer[] = [];
  #frameEndMs = 0;
  #isCollided = false;
  readonly #figures = {
    requests: 0,
    answers: 0,
    silenceViolations: 0,
    gapViolations: 0,
    damaged: 0,
    collisions: 0,
  };

  constructor(options: RtuUnitsOptions) {
    this.#options = options;
    this.faults = new FaultPlan(options.clock);
    const { baud, characterMs } = options;
    this.#gapMs = baud > 19_200 ? 0.75 : 1.5 * characterMs;
    this.#silenceMs = baud > 19_200 ? 1.75 : 3.5 * characterMs;
    options.wire.onBurst((burst) => this.#hear(burst));
  }

  get figures(): LineFigures {
    return { ...this.#figures };
  }

  #hear(burst: Burst): void {
    if (this.#frame.length === 0) {
      if (burst.silenceMs < this.#silenceMs) this.#figures.silenceViolations += 1;
    } else if (burst.silenceMs > this.#gapMs) {
      // Less than T3.5 behind a whole frame is a second one that came too soon, inside one it is a gap.
      if (decodeRtu(Buffer.concat(this.#frame)) !== undefined) this.#figures.silenceViolations += 1;
      else this.#figures.gapViolations += 1;
    }
    if (burst.isCollision) {
      this.#figures.collisions += 1;
      this.#isCollided = true;
    }
    this.#frame.push(burst.bytes);
    this.#frameEndMs = burst.endMs;
    this.#options.timetable.at(burst.endMs + this.#silenceMs, () => this.#endFrame(burst.endMs));
  }

  /** T3.5 of silence ends a frame, unless more came meanwhile. */
  #endFrame(endMs: number): void {
    if (this.#frame.length === 0 || this.#frameEndMs !== endMs) return;
    const frame = decodeRtu(Buffer.concat(this.#frame));
    this.#frame = [];
    const isCollided = this.#isCollided;
    this.#isCollided = false;
    if (frame === undefined || isCollided) {
      this.#figures.damaged += 1;
      return;
    }
    this.#figures.requests += 1;
    this.#serve(frame, endMs + this.#silenceMs + this.#options.turnaroundMs);
  }

  #serve({ unit, pdu }: { readonly unit: number; readonly pdu: Buffer }, answerAtMs: number): void {
    if (unit === 0) {
      // §2.1: a broadcast is executed by all and answered by none.
      for (const [each, bank] of this.#options.units) this.#execute(bank, { unit: each, pdu });
      return;
    }
    const bank = this.#options.units.get(unit);
    if (bank === undefined) return;
    const { fault, frozen } = this.faults.meet(originOf(unit, pdu), pdu);
    const request = { unit, pdu, effect: frozen ? "frozen" : "normal" } as const;
    if (fault === undefined) this.#answer(encodeRtu(unit, this.#execute(bank, request)), answerAtMs);
    else this.#serveUnder(fault, { bank, request, answerAtMs });
  }

  #serveUnder(
    fault: FaultSpec,
    {
      bank,
      request,
      answerAtMs,
    }: { readonly bank: RegisterBank; readonly request: Request; readonly answerAtMs: number },
  ): void {
    const { unit, pdu } = request;
    const delayMs = fault.kind === "slow" || fault.kind === "late" ? fault.delayMs : 0;
    const execution = executionOf(fault);
    if (execution === "never") this.#refuse(bank, request, fault);
    if (execution === "after-delay") {
      this.#options.timetable.at(answerAtMs + delayMs, () => {
        this.#answer(encodeRtu(unit, this.#execute(bank, request)), answerAtMs + delayMs);
      });
      return;
    }
    const answer = execution === "never" ? undefined : this.#execute(bank, request);
    // A wire has no connection to reset: what would be is silence.
    if (fault.kind === "silent" || fault.kind === "reset") return;
    if (fault.kind === "exception") {
      const refusal = exceptionPdu(pdu.readUInt8(0), new ModbusException(fault.code));
      this.#answer(encodeRtu(unit, refusal), answerAtMs);
      return;
    }
    const frame = distortedRtu(
      unit,
      answer ?? exceptionPdu(pdu.readUInt8(0), new ModbusException(4)),
      fault.kind,
    );
    if (delayMs === 0) this.#answer(frame, answerAtMs);
    else this.#options.timetable.at(answerAtMs + delayMs, () => this.#answer(frame, answerAtMs + delayMs));
  }

  #answer(frame: Buffer, atMs: number): void {
    this.#figures.answers += 1;
    this.#options.wire.send(frame, atMs);
  }

  #execute(bank: RegisterBank, { unit, pdu, effect = "normal" }: Request): Buffer {
    return answerPdu(bank, { pdu, origin: originOf(unit, pdu), effect });
  }

  #refuse(bank: RegisterBank, { unit, pdu }: Request, fault: FaultSpec): void {
    const origin = originOf(unit, pdu);
    if (isWriteFunction(origin.function))
      bank.writeNotExecuted?.(describeWrite(pdu, origin), `fault-${fault.kind}`);
  }
}

interface Request {
  readonly unit: number;
  readonly pdu: Buffer;
  readonly effect?: "normal" | "frozen";
}

/** A line is one connection without transactions. */
function originOf(unit: number, pdu: Buffer): RequestOrigin {
  return { connection: 1, transaction: 0, unit, function: pdu.readUInt8(0) };
}
