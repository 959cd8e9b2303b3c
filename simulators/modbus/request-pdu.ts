import {
  ILLEGAL_DATA_ADDRESS,
  ILLEGAL_DATA_VALUE,
  ILLEGAL_FUNCTION,
  ModbusException,
} from "./register-bank.ts";

export type BitTable = "coils" | "discrete";
export type RegisterTable = "holding" | "input";

/** A request PDU after the checks that Modbus V1.1b3 §6 asks for, before any unit has seen it. */
export type ParsedRequest =
  | { readonly kind: "read-bits"; readonly table: BitTable; readonly address: number; readonly count: number }
  | {
      readonly kind: "read-registers";
      readonly table: RegisterTable;
      readonly address: number;
      readonly count: number;
    }
  | {
      readonly kind: "write";
      readonly target: "coils" | "registers";
      readonly address: number;
      readonly values: readonly number[];
    };

const MAX_READ_BITS = 2_000;
const MAX_READ_REGISTERS = 125;
const MAX_WRITE_BITS = 1_968;
const MAX_WRITE_REGISTERS = 123;
const ADDRESSES = 65_536;

const badLength = new ModbusException(ILLEGAL_DATA_VALUE);
const badAddress = new ModbusException(ILLEGAL_DATA_ADDRESS);

/** True for the functions that change something: 5, 6, 15, 16. */
export function isWriteFunction(functionCode: number): boolean {
  return functionCode === 5 || functionCode === 6 || functionCode === 15 || functionCode === 16;
}

/** The address a request names, whatever else is wrong with it; 0 when it is too short to name one. */
export function addressOf(pdu: Buffer): number {
  return pdu.length >= 3 ? pdu.readUInt16BE(1) : 0;
}

/** Reads functions 1, 2, 3, 4, 5, 6, 15 and 16. The refusal is the exception that the spec's state diagram gives. */
export function parseRequest(pdu: Buffer): ParsedRequest | ModbusException {
  switch (pdu.readUInt8(0)) {
    case 1:
      return parseReadBits(pdu, "coils");
    case 2:
      return parseReadBits(pdu, "discrete");
    case 3:
      return parseReadRegisters(pdu, "holding");
    case 4:
      return parseReadRegisters(pdu, "input");
    case 5:
      return parseWriteCoil(pdu);
    case 6:
      return parseWriteRegister(pdu);
    case 15:
      return parseWriteCoils(pdu);
    case 16:
      return parseWriteRegisters(pdu);
    default:
      return new ModbusException(ILLEGAL_FUNCTION);
  }
}

function parseReadBits(pdu: Buffer, table: BitTable): ParsedRequest | ModbusException {
  const span = parseSpan(pdu, MAX_READ_BITS, "whole");
  return span instanceof ModbusException ? span : { kind: "read-bits", table, ...span };
}

function parseReadRegisters(pdu: Buffer, table: RegisterTable): ParsedRequest | ModbusException {
  const span = parseSpan(pdu, MAX_READ_REGISTERS, "whole");
  return span instanceof ModbusException ? span : { kind: "read-registers", table, ...span };
}

function parseWriteCoil(pdu: Buffer): ParsedRequest | ModbusException {
  if (pdu.length !== 5) return badLength;
  const word = pdu.readUInt16BE(3);
  // Modbus V1.1b3 §6.5: 0x0000 and 0xFF00 only, all other values are illegal.
  if (word !== 0 && word !== 0xff00) return badLength;
  return { kind: "write", target: "coils", address: pdu.readUInt16BE(1), values: [word === 0 ? 0 : 1] };
}

function parseWriteRegister(pdu: Buffer): ParsedRequest | ModbusException {
  if (pdu.length !== 5) return badLength;
  return { kind: "write", target: "registers", address: pdu.readUInt16BE(1), values: [pdu.readUInt16BE(3)] };
}

function parseWriteCoils(pdu: Buffer): ParsedRequest | ModbusException {
  const span = parseSpan(pdu, MAX_WRITE_BITS, "head");
  if (span instanceof ModbusException) return span;
  const bytes = Math.ceil(span.count / 8);
  if (pdu.length !== 6 + bytes || pdu.readUInt8(5) !== bytes) return badLength;
  const values = Array.from(
    { length: span.count },
    (_, bit) => (pdu.readUInt8(6 + (bit >> 3)) >> (bit & 7)) & 1,
  );
  return { kind: "write", target: "coils", address: span.address, values };
}

function parseWriteRegisters(pdu: Buffer): ParsedRequest | ModbusException {
  const span = parseSpan(pdu, MAX_WRITE_REGISTERS, "head");
  if (span instanceof ModbusException) return span;
  // Modbus V1.1b3 §6.12: the byte count is twice the quantity.
  if (pdu.length !== 6 + 2 * span.count || pdu.readUInt8(5) !== 2 * span.count) return badLength;
  const values = Array.from({ length: span.count }, (_, word) => pdu.readUInt16BE(6 + 2 * word));
  return { kind: "write", target: "registers", address: span.address, values };
}

/** Quantity is judged before the address, as in every state diagram of §6. */
function parseSpan(
  pdu: Buffer,
  maxCount: number,
  shape: "whole" | "head",
): { readonly address: number; readonly count: number } | ModbusException {
  if (shape === "whole" ? pdu.length !== 5 : pdu.length < 6) return badLength;
  const address = pdu.readUInt16BE(1);
  const count = pdu.readUInt16BE(3);
  if (count < 1 || count > maxCount) return badLength;
  return address + count > ADDRESSES ? badAddress : { address, count };
}
