import { crc16 } from "../crc16.ts";

/** Unit, PDU of at most 253 bytes, CRC (MODBUS over Serial Line V1.02 §2.5.1). */
export const RTU_FRAME_MAX = 256;
export const RTU_FRAME_MIN = 4;
/** Unit, function, exception code, CRC. */
const EXCEPTION_BYTES = 5;
/** Unit, function, byte count, CRC: what an answer to a read has besides its data. */
const READ_OVERHEAD = 5;
/** Requests to read, and the answers to all writes, are this long. */
const FIXED_BYTES = 8;
const EXCEPTION_BIT = 0x80;

/** What tells the answer to a request from every other frame on the line; RTU itself carries no transaction id. */
export interface Expectation {
  readonly unit: number;
  readonly functionCode: number;
  /** Of the whole answer when it is no exception. */
  readonly length: number;
  /** The request as it was sent: the adapter may repeat it. */
  readonly request: Buffer;
}

/** Takes unit, PDU and CRC of functions 1 to 6, 15 and 16. */
export function expectationOf(request: Buffer): Expectation {
  const unit = request.readUInt8(0);
  const functionCode = request.readUInt8(1);
  return { unit, functionCode, length: answerLength(functionCode, request), request };
}

function answerLength(functionCode: number, request: Buffer): number {
  if (functionCode > 4) return FIXED_BYTES;
  const count = request.readUInt16BE(4);
  return READ_OVERHEAD + (functionCode > 2 ? 2 * count : Math.ceil(count / 8));
}

/** Whether the `length` bytes from `at` are a frame that answers `expected`. */
export function isAnswerAt(bytes: Buffer, at: number, length: number, expected: Expectation): boolean {
  if (at < 0 || bytes.length < at + length) return false;
  const { unit, functionCode } = expected;
  if (bytes[at] !== unit) return false;
  const isException = length === EXCEPTION_BYTES && bytes[at + 1] === (functionCode | EXCEPTION_BIT);
  if (!isException && !isPlainAnswer(bytes, at, length, expected)) return false;
  return hasRightCrc(bytes, at, length);
}

function isPlainAnswer(bytes: Buffer, at: number, length: number, expected: Expectation): boolean {
  const { functionCode } = expected;
  if (bytes[at + 1] !== functionCode || length !== expected.length) return false;
  return functionCode > 4 || bytes[at + 2] === length - READ_OVERHEAD;
}

/** The lengths that an answer to `expected` may have. */
export const answerLengths = (expected: Expectation): readonly number[] =>
  expected.length === EXCEPTION_BYTES ? [EXCEPTION_BYTES] : [expected.length, EXCEPTION_BYTES];

/** The length of the whole frame at `at`, an answer's or a request's; 0 where there is none. */
export function frameLengthAt(bytes: Buffer, at: number): number {
  const functionCode = bytes[at + 1];
  if (functionCode === undefined) return 0;
  for (const length of possibleLengths(functionCode, bytes[at + 2] ?? 0)) {
    if (at + length <= bytes.length && hasRightCrc(bytes, at, length)) return length;
  }
  return 0;
}

/** MODBUS Application Protocol V1.1b3 §6: from the function and, for reads, the byte count. */
function possibleLengths(functionCode: number, byteCount: number): readonly number[] {
  if ((functionCode & EXCEPTION_BIT) !== 0) return [EXCEPTION_BYTES];
  if (functionCode <= 4) return [Math.min(RTU_FRAME_MAX, READ_OVERHEAD + byteCount), FIXED_BYTES];
  return [FIXED_BYTES];
}

function hasRightCrc(bytes: Buffer, at: number, length: number): boolean {
  const end = at + length - 2;
  return crc16(bytes.subarray(at, end), length - 2) === bytes.readUInt16LE(end);
}
