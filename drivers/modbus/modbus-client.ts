import Modbus from "modbus-serial";
import { DeviceFault } from "../../domain/errors.ts";
import { faultOf } from "./exception-fault.ts";
import type { ModbusAddress } from "./modbus-address.ts";
import type { ModbusPort } from "./modbus-port.ts";
import type { PendingRequest } from "./pending-requests.ts";

/** One read of functions 1 to 4. */
export interface ReadRequest {
  readonly table: ModbusAddress["table"];
  readonly first: number;
  /** 1 … 125 registers or 1 … 2,000 bits. */
  readonly count: number;
  /** For people and faults: `read 12 holding registers from 100 of unit 1`. */
  readonly label: string;
}

/** One write of functions 5, 6, 15 and 16. */
export type WriteRequest = { readonly register: number; readonly label: string } & (
  | { readonly function: 5 | 15; readonly state: boolean }
  /** 1 … 123 registers, exactly one for function 6. */
  | { readonly function: 6 | 16; readonly words: readonly number[] }
);

type Callback = (error: unknown, result: unknown) => void;

/** Modbus V1.1b3 §6.1 to §6.4. */
const READ_MAX = { coil: 2_000, discrete: 2_000, holding: 125, input: 125 } as const;
/** Modbus V1.1b3 §6.12. */
const WRITE_MAX = 123;
const PLACES = 65_536;

/**
 * modbus-serial codes and reads the PDUs; the port does the rest. Every call settles once, and rejects with
 * a {@link DeviceFault} or with the signal's reason.
 */
export class ModbusClient {
  readonly #port: ModbusPort;
  readonly #serial: InstanceType<typeof Modbus.default>;

  constructor(port: ModbusPort) {
    this.#port = port;
    this.#serial = new Modbus.default(port);
  }

  /** @throws {DeviceFault} `connection-lost` */
  async open(label: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#serial.open((error: unknown) => {
      if (error === undefined) resolve();
      else reject(new DeviceFault("connection-lost", label, { cause: error }));
    });
    await promise;
  }

  /** `decode` gets the bytes of the answer, exactly as many as were asked for and void when it returns. */
  read<T>(unit: number, request: ReadRequest, decode: (data: Buffer) => T, signal: AbortSignal): Promise<T> {
    const { table, first, count, label } = request;
    const bytes = table === "holding" || table === "input" ? 2 * count : Math.ceil(count / 8);
    return this.#ask(label, signal, {
      send: (next) => {
        // modbus-serial would send 126 registers; the unit could only refuse them.
        refuseOutside(count, READ_MAX[table], label);
        refuseBeyondEnd(first, count, label);
        if (table === "holding") this.#serial.writeFC3(unit, first, count, next);
        else if (table === "input") this.#serial.writeFC4(unit, first, count, next);
        else if (table === "coil") this.#serial.writeFC1(unit, first, count, next);
        else this.#serial.writeFC2(unit, first, count, next);
      },
      accept: (result) => {
        const data = dataOf(result);
        // modbus-serial compares the frame's length only, not the byte count inside it.
        if (data?.length !== bytes)
          throw new Error(`the answer says ${data?.length} bytes of data, asked were ${bytes}`);
        return decode(data);
      },
    });
  }

  /** Resolves when the unit has echoed what it was asked. */
  write(unit: number, request: WriteRequest, signal: AbortSignal): Promise<void> {
    return this.#ask(request.label, signal, {
      send: (next) => this.#sendWrite(unit, request, next),
      accept: (result) => refuseOtherEcho(request, result),
    });
  }

  #sendWrite(unit: number, request: WriteRequest, next: Callback): void {
    const { register, label } = request;
    const count = "words" in request ? request.words.length : 1;
    refuseOutside(count, request.function === 16 ? WRITE_MAX : 1, label);
    refuseBeyondEnd(register, count, label);
    switch (request.function) {
      case 5:
        this.#serial.writeFC5(unit, register, request.state, next);
        break;
      case 15:
        this.#serial.writeFC15(unit, register, [request.state], next);
        break;
      case 6:
        this.#serial.writeFC6(unit, register, request.words[0] ?? 0, next);
        break;
      case 16:
        this.#serial.writeFC16(unit, register, [...request.words], next);
        break;
    }
  }

  #ask<T>(
    label: string,
    signal: AbortSignal,
    exchange: { readonly send: (next: Callback) => void; readonly accept: (result: unknown) => T },
  ): Promise<T> {
    if (signal.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const request = pendingRequest(label, signal, reject);
      const next: Callback = (error, result) => {
        request.isSettled = true;
        if (error !== null && error !== undefined) return reject(faultOf(error, label));
        // What is thrown here, modbus-serial calls back with once more.
        resolve(exchange.accept(result));
      };
      try {
        this.#port.prepare(request);
        exchange.send(next);
      } catch (error) {
        this.#port.withdraw(request);
        reject(faultOf(error, label));
      }
    });
  }
}

function pendingRequest(
  label: string,
  signal: AbortSignal,
  reject: (reason: unknown) => void,
): PendingRequest {
  const unset = { slot: -1, transactionId: -1, unit: -1, functionCode: -1, cancelTimer: undefined };
  return { label, signal, reject, isSettled: false, ...unset };
}

function dataOf(result: unknown): Buffer | undefined {
  const hasBuffer = typeof result === "object" && result !== null && "buffer" in result;
  return hasBuffer && Buffer.isBuffer(result.buffer) ? result.buffer : undefined;
}

/** Modbus V1.1b3 §6.5, §6.6, §6.11, §6.12: the answer names the place, and the value or how many were written. */
function refuseOtherEcho(request: WriteRequest, result: unknown): void {
  const expected = expectedEcho(request);
  if (typeof result !== "object" || result === null) throw new Error("the answer could not be read");
  for (const [name, value] of Object.entries(expected)) {
    const echoed: unknown = Reflect.get(result, name);
    if (echoed !== value)
      throw new Error(`the answer says ${name} ${String(echoed)}, asked was ${String(value)}`);
  }
}

function expectedEcho(request: WriteRequest): Readonly<Record<string, number | boolean | undefined>> {
  const address = request.register;
  switch (request.function) {
    case 5:
      return { address, state: request.state };
    case 6:
      return { address, value: request.words[0] };
    case 15:
      return { address, length: 1 };
    case 16:
      return { address, length: request.words.length };
  }
}

/** What the unit would have to refuse with exception 3 or 2 (Modbus V1.1b3 §6) is not sent. */
function refuseOutside(count: number, max: number, label: string): void {
  if (Number.isInteger(count) && count >= 1 && count <= max) return;
  const cause = new Error(`not sent: ${count} places, one request takes 1 to ${max}`);
  throw new DeviceFault("refused-by-device", label, { cause });
}

function refuseBeyondEnd(first: number, count: number, label: string): void {
  if (Number.isInteger(first) && first >= 0 && first + count <= PLACES) return;
  const cause = new Error(`not sent: ${count} from ${first} are not within 0 to ${PLACES - 1}`);
  throw new DeviceFault("unknown-address", label, { cause });
}
