import {
  ILLEGAL_FUNCTION,
  ModbusException,
  type ReadAnswer,
  type RegisterBank,
  type RequestOrigin,
  type WriteRequest,
} from "./register-bank.ts";
import { addressOf, isWriteFunction, type ParsedRequest, parseRequest } from "./request-pdu.ts";

/** Executes one request PDU on a bank and returns the answer PDU. */
export function answerPdu(
  bank: RegisterBank,
  request: { readonly pdu: Buffer; readonly origin: RequestOrigin; readonly effect: "normal" | "frozen" },
): Buffer {
  const parsed = parseRequest(request.pdu);
  if (!(parsed instanceof ModbusException)) return answerParsed(bank, request, parsed);
  if (isWriteFunction(request.origin.function)) {
    bank.writeNotExecuted?.(describeWrite(request.pdu, request.origin), `exception-${parsed.code}`);
  }
  return exceptionPdu(request.origin.function, parsed);
}

/** What a write frame asks for, as far as it can be read. */
export function describeWrite(pdu: Buffer, origin: RequestOrigin): WriteRequest {
  const parsed = parseRequest(pdu);
  const isWrite = !(parsed instanceof ModbusException) && parsed.kind === "write";
  return { origin, address: addressOf(pdu), values: isWrite ? parsed.values : [], effect: "normal" };
}

/** Modbus V1.1b3 §7: the function code with its top bit set, then the exception code. */
export function exceptionPdu(functionCode: number, exception: ModbusException): Buffer {
  return Buffer.from([functionCode | 0x80, exception.code]);
}

function answerParsed(
  bank: RegisterBank,
  request: { readonly pdu: Buffer; readonly origin: RequestOrigin; readonly effect: "normal" | "frozen" },
  parsed: ParsedRequest,
): Buffer {
  const functionCode = request.origin.function;
  if (parsed.kind === "read-registers") return registersPdu(functionCode, readRegisters(bank, parsed));
  if (parsed.kind === "read-bits") return bitsPdu(functionCode, readBits(bank, parsed));
  const { address, values } = parsed;
  const write: WriteRequest = { origin: request.origin, address, values, effect: request.effect };
  const answer = executeWrite(bank, parsed.target, write);
  if (answer instanceof ModbusException) return exceptionPdu(functionCode, answer);
  // Modbus V1.1b3 §6.5, §6.6, §6.11, §6.12: single writes echo the request, multiple ones its first five bytes.
  return Buffer.from(request.pdu.subarray(0, 5));
}

function executeWrite(bank: RegisterBank, target: "coils" | "registers", write: WriteRequest) {
  const answer = target === "coils" ? bank.writeCoils?.(write) : bank.writeRegisters?.(write);
  if (answer !== undefined) return answer;
  bank.writeNotExecuted?.(write, `exception-${ILLEGAL_FUNCTION}`);
  return new ModbusException(ILLEGAL_FUNCTION);
}

function readRegisters(bank: RegisterBank, parsed: ParsedRequest & { kind: "read-registers" }): ReadAnswer {
  const { address, count } = parsed;
  const answer =
    parsed.table === "holding" ? bank.readHolding?.(address, count) : bank.readInput?.(address, count);
  return answer ?? new ModbusException(ILLEGAL_FUNCTION);
}

function readBits(bank: RegisterBank, parsed: ParsedRequest & { kind: "read-bits" }): ReadAnswer {
  const { address, count } = parsed;
  const answer =
    parsed.table === "coils" ? bank.readCoils?.(address, count) : bank.readDiscrete?.(address, count);
  return answer ?? new ModbusException(ILLEGAL_FUNCTION);
}

function registersPdu(functionCode: number, answer: ReadAnswer): Buffer {
  if (answer instanceof ModbusException) return exceptionPdu(functionCode, answer);
  const pdu = Buffer.allocUnsafe(2 + 2 * answer.length);
  pdu.writeUInt8(functionCode, 0);
  pdu.writeUInt8(2 * answer.length, 1);
  for (let word = 0; word < answer.length; word += 1) pdu.writeUInt16BE(answer[word] ?? 0, 2 + 2 * word);
  return pdu;
}

function bitsPdu(functionCode: number, answer: ReadAnswer): Buffer {
  if (answer instanceof ModbusException) return exceptionPdu(functionCode, answer);
  const bytes = Math.ceil(answer.length / 8);
  // Modbus V1.1b3 §6.1: the unused high bits of the last byte are zero.
  const pdu = Buffer.alloc(2 + bytes);
  pdu.writeUInt8(functionCode, 0);
  pdu.writeUInt8(bytes, 1);
  for (let bit = 0; bit < answer.length; bit += 1) {
    if (answer[bit]) pdu.writeUInt8(pdu.readUInt8(2 + (bit >> 3)) | (1 << (bit & 7)), 2 + (bit >> 3));
  }
  return pdu;
}
