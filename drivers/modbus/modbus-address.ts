import type { Footprint } from "../driver.ts";
import { parseSetting } from "../parse-setting.ts";
import { type NumberCoding, REGISTERS_OF, type RegisterLayout } from "./register-codec.ts";
import {
  otherWrite,
  refuseCoilOfNumber,
  refuseWriteToReadOnly,
  registerWriteFunction,
} from "./write-address.ts";
import type { RegisterStep } from "./write-sequence.ts";
import { ADDRESS, BITS, type PointKind, refuse, type Written } from "./written-address.ts";

/** Where a point is in a unit: MODBUS Application Protocol V1.1b3 §4.3. Registers are zero-based as in the PDU. */
export type ModbusAddress = BitAddress | RegisterAddress;

/** One bit of functions 1 and 2, always a boolean. */
export interface BitAddress {
  readonly table: "coil" | "discrete";
  /** 0 … 65535. */
  readonly register: number;
  /** Coils only: 5 writes one, 15 writes a list of one. */
  readonly writeFunction: 5 | 15;
  /** Where a write goes; equals `register` unless the unit takes commands elsewhere. */
  readonly writeRegister: number;
}

/** One register or several of functions 3 and 4. */
export interface RegisterAddress extends RegisterLayout {
  readonly table: "holding" | "input";
  /** The first, 0 … 65535. */
  readonly register: number;
  /** A field inside one register; absent: the whole value. */
  readonly bits?: BitField;
  readonly writeFunction: 6 | 16;
  readonly writeRegister: number;
  /** The coil that a bit is written to: units show an image of their outputs in a register. */
  readonly writeCoil?: number;
  /** What a write is made of instead, where the unit wants a handshake. */
  readonly writeSequence?: readonly RegisterStep[];
}

/** `(raw >> shift) & (2^width - 1)`. */
export interface BitField {
  readonly shift: number;
  readonly width: number;
}

/** @throws {AddressError} */
export function parseModbusAddress(data: unknown, point: PointKind): ModbusAddress {
  const written = parseSetting(ADDRESS, data);
  refuseWriteToReadOnly(written, point);
  if (written.table === "coil" || written.table === "discrete")
    return bitAddress(written, written.table, point);
  return registerAddress(written, written.table, point);
}

/** The places that a read takes. */
export function footprintOf(address: ModbusAddress): Footprint {
  const { table: space, register: first } = address;
  if (!isRegisterAddress(address)) return { space, first, count: 1 };
  if (address.bits === undefined) return { space, first, count: address.registers };
  return { space, first, count: 1, bitMask: ((1 << address.bits.width) - 1) << address.bits.shift };
}

export function isRegisterAddress(address: ModbusAddress): address is RegisterAddress {
  return address.table === "holding" || address.table === "input";
}

function bitAddress(written: Written, table: "coil" | "discrete", point: PointKind): BitAddress {
  if (point.type !== "boolean" && point.type !== "action") {
    refuse(
      "/table",
      '"holding" or "input"',
      `a ${table} is one bit: make the point boolean, or take a register table`,
    );
  }
  for (const key of [
    "coding",
    "registers",
    "wordOrder",
    "byteOrder",
    "bit",
    "bits",
    "writeCoil",
    "writeSequence",
  ] as const) {
    if (written[key] !== undefined)
      refuse(`/${key}`, `no such key on a ${table}`, `a ${table} is one bit: remove ${key}`);
  }
  const writeFunction = written.writeFunction ?? 5;
  if (writeFunction !== 5 && writeFunction !== 15) {
    refuse(
      "/writeFunction",
      "5 or 15",
      `function ${writeFunction} writes registers: take 5 or 15 for a coil`,
    );
  }
  return {
    table,
    register: written.register,
    writeFunction,
    writeRegister: written.writeRegister ?? written.register,
  };
}

function registerAddress(written: Written, table: "holding" | "input", point: PointKind): RegisterAddress {
  refuseCoilOfNumber(written, point);
  const coding = codingOf(written, point);
  const bits = bitFieldOf(written, coding, point);
  const registers = coding === "text" ? textRegisters(written, point) : numberRegisters(written, coding);
  if (written.wordOrder !== undefined && (registers === 1 || coding === "text")) {
    refuse(
      "/wordOrder",
      "no such key for text or one register",
      `${coding} has no order of words: remove wordOrder`,
    );
  }
  const { register, writeRegister = register } = written;
  refuseBeyondEnd("/register", register, registers);
  refuseBeyondEnd("/writeRegister", writeRegister, registers);
  const { wordOrder = "big", byteOrder = "big" } = written;
  const writeFunction = registerWriteFunction(written, registers);
  const layout = { coding, registers, wordOrder, byteOrder };
  const address = {
    table,
    register,
    ...layout,
    writeFunction,
    writeRegister,
    ...otherWrite(written, registers),
  };
  return bits === undefined ? address : { ...address, bits };
}

function codingOf(written: Written, point: PointKind): RegisterAddress["coding"] {
  // A text with states is a number that means something.
  const isText = point.type === "text" && point.states === undefined;
  const coding = written.coding ?? (isText ? "text" : "u16");
  if ((coding === "text") !== isText) {
    const expected = isText ? '"text"' : "a coding of numbers, e.g. u16";
    refuse("/coding", expected, `coding ${coding} does not make a ${point.type}: write ${expected}`);
  }
  if (point.type === "boolean" && coding !== "u16") {
    refuse(
      "/coding",
      "u16",
      `a boolean is one register or a bit of it: name the register that holds it, with coding u16`,
    );
  }
  return coding;
}

function bitFieldOf(written: Written, coding: string, point: PointKind): BitField | undefined {
  if (written.bit !== undefined && written.bits !== undefined)
    refuse("/bits", "either bit or bits", "remove bit or bits");
  const pointer = written.bit === undefined ? "/bits" : "/bit";
  const bits = written.bit === undefined ? written.bits : { shift: written.bit, width: 1 };
  if (bits === undefined) return undefined;
  if (coding !== "u16") {
    refuse(
      pointer,
      "coding u16",
      "a bit field lies in one register: name the register that holds it, with coding u16",
    );
  }
  if (bits.shift + bits.width > 16)
    refuse(`${pointer}/width`, BITS, `the field ends above bit 15: write ${BITS}`);
  if (point.type === "boolean" && bits.width !== 1)
    refuse(pointer, "bit: 0 … 15", "a boolean is one bit: write bit");
  if (point.access !== "read" && written.writeCoil === undefined) {
    // Modbus V1.1b3 §6.16: few units know function 22, and without it the other bits would be overwritten unseen.
    refuse(
      pointer,
      "a whole register, a coil or writeCoil",
      "one bit of a register can not be written, since its neighbours would be overwritten (mask write, function 22, is not spoken): command the whole register as a number, or a coil",
    );
  }
  return bits;
}

function textRegisters(written: Written, point: PointKind): number {
  const max = point.access === "read" ? 125 : 123;
  const registers = written.registers;
  if (registers === undefined || registers > max) {
    // Modbus V1.1b3 §6.3 and §6.12: 125 registers a read, 123 a write.
    refuse(
      "/registers",
      `the registers of the text, from 1 to ${max}`,
      `write registers: the length of the text, two characters each, from 1 to ${max}`,
    );
  }
  return registers;
}

function numberRegisters(written: Written, coding: NumberCoding): number {
  if (written.registers !== undefined) {
    refuse(
      "/registers",
      "no such key unless coding is text",
      `${coding} has its length by itself: remove registers`,
    );
  }
  return REGISTERS_OF[coding];
}

function refuseBeyondEnd(pointer: string, register: number, registers: number): void {
  if (register + registers <= 65_536) return;
  const last = 65_536 - registers;
  refuse(
    pointer,
    `a number from 0 to ${last}`,
    `${registers} registers from ${register} end above 65535: start at ${last} or below`,
  );
}
