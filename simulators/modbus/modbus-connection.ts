import type { Socket } from "node:net";
import type { SimulatorClock } from "../clock.ts";
import { answerPdu, describeWrite, exceptionPdu } from "./answer-pdu.ts";
import { distortedAnswer } from "./distorted-answer.ts";
import { executionOf, type FaultPlan, type FaultSpec } from "./fault-plan.ts";
import { encodeFrame, MbapReader, type ModbusFrame } from "./mbap-reader.ts";
import {
  GATEWAY_TARGET_FAILED,
  ModbusException,
  type RegisterBank,
  type RequestOrigin,
} from "./register-bank.ts";
import { isWriteFunction } from "./request-pdu.ts";

export interface ConnectionContext {
  readonly number: number;
  readonly units: ReadonlyMap<number, RegisterBank>;
  readonly faults: FaultPlan;
  readonly clock: SimulatorClock;
  readonly requestServed: () => void;
  /** The conversation is over, and nothing that it asked for is still to happen. */
  readonly ended: () => void;
}

type DelayFault = FaultSpec & { readonly kind: "slow" | "late"; readonly delayMs: number };

interface Request {
  readonly frame: ModbusFrame;
  readonly origin: RequestOrigin;
  readonly effect: "normal" | "frozen";
}

/** Late answers one connection may owe; past it a request that should be answered late never is. */
const MAX_LATE_ANSWERS = 1_000;
/** How long half a frame stays on the line before the RST, so that the peer has read it. */
const MID_FRAME_PAUSE_MS = 5;

/**
 * Serves one client. Requests are answered in the order they came. The socket is not read while an answer is held
 * or while the client does not take its answers, so what waits is bounded by one chunk.
 */
export class ModbusConnection {
  readonly #socket: Socket;
  readonly #context: ConnectionContext;
  readonly #reader = new MbapReader();
  readonly #cancels = new Set<() => void>();
  #answers: Buffer[] = [];
  #state: "serving" | "holding" | "closed" = "serving";

  constructor(socket: Socket, context: ConnectionContext) {
    this.#socket = socket;
    this.#context = context;
  }

  attach(): void {
    this.#socket.setNoDelay(true);
    this.#socket.on("data", (chunk: Buffer) => {
      this.#reader.push(chunk);
      this.#serve();
    });
    this.#socket.on("drain", () => {
      if (this.#state === "serving") this.#socket.resume();
    });
    // A reset by the peer is the end of the conversation; `close` follows and clears up.
    this.#socket.on("error", () => this.#socket.destroy());
    this.#socket.on("close", () => this.#close());
  }

  get isOpen(): boolean {
    return this.#state !== "closed";
  }

  /** Ends the conversation without asking the peer. What a delayed request was to do still happens. */
  disconnect(): void {
    this.#socket.destroy();
    this.#close();
  }

  /** Ends the conversation, and with it all that was still to happen. */
  destroy(): void {
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
    this.disconnect();
  }

  #serve(): void {
    while (this.#state === "serving") {
      const frame = this.#reader.next();
      if (frame === "incomplete") break;
      if (frame === "broken") {
        this.#flush();
        this.#socket.destroySoon();
        this.#close();
        return;
      }
      this.#answer(frame);
    }
    this.#flush();
  }

  #answer(frame: ModbusFrame): void {
    this.#context.requestServed();
    const { transaction, unit, pdu } = frame;
    const origin = { connection: this.#context.number, transaction, unit, function: pdu.readUInt8(0) };
    const { fault, frozen } = this.#context.faults.meet(origin, pdu);
    const request: Request = { frame, origin, effect: frozen ? "frozen" : "normal" };
    if (fault === undefined)
      this.#answers.push(encodeFrame({ transaction, unit, pdu: this.#execute(request) }));
    else this.#answerWithFault(request, fault);
  }

  #answerWithFault(request: Request, fault: FaultSpec): void {
    const { transaction, unit } = request.frame;
    if (fault.kind === "slow" || fault.kind === "late") {
      this.#answerAfter(request, fault);
      return;
    }
    const pdu = this.#executeUnder(request, fault);
    const answer = encodeFrame({ transaction, unit, pdu });
    switch (fault.kind) {
      case "silent":
        break;
      case "reset":
        this.#reset(fault.at === "mid-frame" ? answer.subarray(0, answer.length >> 1) : undefined);
        break;
      case "exception": {
        const refusal = exceptionPdu(request.origin.function, new ModbusException(fault.code));
        this.#answers.push(encodeFrame({ transaction, unit, pdu: refusal }));
        break;
      }
      default:
        this.#answers.push(distortedAnswer(answer, fault.kind));
    }
  }

  #answerAfter(request: Request, fault: DelayFault): void {
    if (fault.kind === "late" && this.#cancels.size >= MAX_LATE_ANSWERS) {
      this.#refuse(request, fault);
      return;
    }
    const execution = executionOf(fault);
    // The frame is a view of a buffer that the reader may drop meanwhile; a copy is not.
    const kept = { ...request, frame: { ...request.frame, pdu: Buffer.from(request.frame.pdu) } };
    const early = execution === "after-delay" ? undefined : this.#executeUnder(kept, fault);
    if (fault.kind === "slow") this.#hold();
    this.#after(fault.delayMs, () => {
      const { transaction, unit } = kept.frame;
      // A device that has the request acts on it, whether or not somebody still waits for the answer.
      const pdu = early ?? this.#execute(kept);
      if (this.#state === "closed") return;
      this.#answers.push(encodeFrame({ transaction, unit, pdu }));
      if (fault.kind === "slow") this.#release();
      else this.#flush();
    });
  }

  #executeUnder(request: Request, fault: FaultSpec): Buffer {
    if (executionOf(fault) !== "never") return this.#execute(request);
    this.#refuse(request, fault);
    return exceptionPdu(request.origin.function, new ModbusException(GATEWAY_TARGET_FAILED));
  }

  #refuse(request: Request, fault: FaultSpec): void {
    if (!isWriteFunction(request.origin.function)) return;
    const write = describeWrite(request.frame.pdu, request.origin);
    this.#context.units.get(request.frame.unit)?.writeNotExecuted?.(write, `fault-${fault.kind}`);
  }

  #execute(request: Request): Buffer {
    const { frame, origin, effect } = request;
    const bank = this.#context.units.get(frame.unit);
    if (bank === undefined) return exceptionPdu(origin.function, new ModbusException(GATEWAY_TARGET_FAILED));
    return answerPdu(bank, { pdu: frame.pdu, origin, effect });
  }

  #hold(): void {
    this.#state = "holding";
    this.#socket.pause();
  }

  #release(): void {
    this.#state = "serving";
    this.#serve();
    if (this.#state === "serving" && !this.#socket.writableNeedDrain) this.#socket.resume();
  }

  #reset(partial: Buffer | undefined): void {
    this.#flush();
    if (partial === undefined) {
      this.#socket.resetAndDestroy();
      this.#close();
      return;
    }
    this.#hold();
    this.#socket.write(partial);
    this.#after(MID_FRAME_PAUSE_MS, () => {
      if (this.#state === "closed") return;
      this.#socket.resetAndDestroy();
      this.#close();
    });
  }

  #flush(): void {
    const [first] = this.#answers;
    if (first === undefined || this.#state === "closed") return;
    const bytes = this.#answers.length === 1 ? first : Buffer.concat(this.#answers);
    this.#answers = [];
    if (!this.#socket.write(bytes)) this.#socket.pause();
  }

  #after(delayMs: number, action: () => void): void {
    const cancel = this.#context.clock.after(delayMs, () => {
      this.#cancels.delete(cancel);
      action();
      this.#endIfOver();
    });
    this.#cancels.add(cancel);
  }

  #close(): void {
    this.#state = "closed";
    this.#answers = [];
    this.#endIfOver();
  }

  #endIfOver(): void {
    if (this.#state === "closed" && this.#cancels.size === 0) this.#context.ended();
  }
}
