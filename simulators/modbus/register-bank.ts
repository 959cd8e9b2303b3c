/** Modbus Application Protocol V1.1b3 §7, table of exception codes. */
export type ExceptionCode = 1 | 2 | 3 | 4 | 5 | 6 | 8 | 10 | 11;

/** The function is not one this unit offers. */
export const ILLEGAL_FUNCTION = 1;
/** The address, or address + count, is not in the unit's map. */
export const ILLEGAL_DATA_ADDRESS = 2;
/** The value, or the implied length, is not one the unit allows. */
export const ILLEGAL_DATA_VALUE = 3;
/** The unit can not do what it was asked. */
export const SERVER_DEVICE_FAILURE = 4;
/** Nobody answers behind the gateway at this unit id. */
export const GATEWAY_TARGET_FAILED = 11;

export const EXCEPTION_CODES: readonly ExceptionCode[] = [1, 2, 3, 4, 5, 6, 8, 10, 11];

/** A refusal, as a value: the device answered that it did not. */
export class ModbusException {
  readonly code: ExceptionCode;
  constructor(code: ExceptionCode) {
    this.code = code;
  }
}

/** Who asked: enough to find the request in a capture and in the gateway's own ledger. */
export interface RequestOrigin {
  /** Counts the connections of one server from 1. */
  readonly connection: number;
  /** From the MBAP header, 0..65535. */
  readonly transaction: number;
  readonly unit: number;
  readonly function: number;
}

export interface WriteRequest {
  readonly origin: RequestOrigin;
  /** Zero-based, as in the PDU. */
  readonly address: number;
  /** Registers 0..65535, or coils as 0 and 1. Empty when the frame was too broken to hold any. */
  readonly values: readonly number[];
  /** `frozen`: acknowledge, remember the command, move nothing. */
  readonly effect: "normal" | "frozen";
}

export type ReadAnswer = ArrayLike<number> | ModbusException;
export type WriteAnswer = "written" | ModbusException;

/**
 * What stands behind one unit id. A table that the unit does not have is left out,
 * and the server answers exception 1 for its functions.
 * The server has checked counts and that address + count stays within 65,536.
 */
export interface RegisterBank {
  /** Function 3. `count` values of 0..65535. */
  readHolding?(address: number, count: number): ReadAnswer;
  /** Function 4. */
  readInput?(address: number, count: number): ReadAnswer;
  /** Function 1. `count` values, 0 or not 0. */
  readCoils?(address: number, count: number): ReadAnswer;
  /** Function 2. */
  readDiscrete?(address: number, count: number): ReadAnswer;
  /** Functions 6 and 16. All values or none are taken. */
  writeRegisters?(request: WriteRequest): WriteAnswer;
  /** Functions 5 and 15. */
  writeCoils?(request: WriteRequest): WriteAnswer;
  /** A write that arrived but never came to the two methods above, and why (`fault-silent`, `exception-3`, …). */
  writeNotExecuted?(request: WriteRequest, reason: string): void;
}
