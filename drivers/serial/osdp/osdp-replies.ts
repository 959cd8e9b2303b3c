import type { IdentityField, OsdpAddress } from "./osdp-address.ts";
import { COMMAND, REPLY } from "./osdp-codes.ts";

/** A status that is asked for, and the reply that tells it. */
export interface StatusQuestion {
  readonly command: number;
  readonly data: Uint8Array;
  readonly reply: number;
  readonly name: string;
}

const NO_DATA = new Uint8Array();
/** SIA OSDP 2.2: ID takes one byte, 0 for the standard report. */
const STANDARD_REPORT = Uint8Array.of(0);
const LOCAL: StatusQuestion = {
  command: COMMAND.localStatus,
  data: NO_DATA,
  reply: REPLY.localStatus,
  name: "the unit's own status",
};
const READERS: StatusQuestion = {
  command: COMMAND.readerStatus,
  data: NO_DATA,
  reply: REPLY.readerStatus,
  name: "the readers' status",
};
const INPUTS: StatusQuestion = {
  command: COMMAND.inputStatus,
  data: NO_DATA,
  reply: REPLY.inputStatus,
  name: "the inputs",
};
const OUTPUTS: StatusQuestion = {
  command: COMMAND.outputStatus,
  data: NO_DATA,
  reply: REPLY.outputStatus,
  name: "the outputs",
};
const IDENTITY: StatusQuestion = {
  command: COMMAND.identify,
  data: STANDARD_REPORT,
  reply: REPLY.identification,
  name: "the identification",
};

/** What to ask for the item; `undefined`: it is an event, or only written. */
export function questionOf({ item }: OsdpAddress): StatusQuestion | undefined {
  switch (item) {
    case "tamper":
    case "power-failure":
      return LOCAL;
    case "reader-tamper":
      return READERS;
    case "input":
      return INPUTS;
    case "output":
      return OUTPUTS;
    case "identity":
      return IDENTITY;
    default:
      return undefined;
  }
}

/** The item's value in the status reply `data`; `undefined`: the unit has no such item. */
export function statusOf(address: OsdpAddress, data: Buffer): boolean | string | undefined {
  switch (address.item) {
    case "tamper":
      return flagAt(data, 0);
    case "power-failure":
      return flagAt(data, 1);
    case "reader-tamper":
      // 0 normal, 1 not connected, 2 tamper: either is a reader that somebody reached.
      return flagAt(data, address.reader);
    case "input":
    case "output":
      return flagAt(data, address.number);
    case "identity":
      return identityOf(address.field, data);
    default:
      return undefined;
  }
}

function flagAt(data: Buffer, at: number): boolean | undefined {
  const byte = data[at];
  return byte === undefined ? undefined : byte !== 0;
}

const IDENTITY_BYTES = 12;

/** Vendor (IEEE OUI), model, version, serial number LE, firmware major, minor, build. */
function identityOf(field: IdentityField, data: Buffer): string | undefined {
  if (data.length < IDENTITY_BYTES) return undefined;
  switch (field) {
    case "vendor":
      return data.toString("hex", 0, 3).toUpperCase();
    case "model":
      return `${data.readUInt8(3)}.${data.readUInt8(4)}`;
    case "serial":
      return String(data.readUInt32LE(5));
    default:
      return `${data.readUInt8(9)}.${data.readUInt8(10)}.${data.readUInt8(11)}`;
  }
}

export interface ReaderEvent {
  readonly item: "card" | "keypad";
  readonly reader: number;
  /** A card: count of bits and the bits as a whole number, hexadecimal: `26:1A2B3C`. Keys: as pressed. */
  readonly text: string;
}

const CARD_HEAD_BYTES = 4;
const CARD_BITS_MAX = 1_024;

/** RAW: reader, format, count of bits LE, the bits from the highest of the first byte. `undefined`: it makes no sense. */
export function cardOf(data: Buffer): ReaderEvent | undefined {
  if (data.length <= CARD_HEAD_BYTES) return undefined;
  const bits = data.readUInt16LE(2);
  const bytes = Math.ceil(bits / 8);
  if (bits === 0 || bits > CARD_BITS_MAX || data.length < CARD_HEAD_BYTES + bytes) return undefined;
  const whole = BigInt(`0x${data.toString("hex", CARD_HEAD_BYTES, CARD_HEAD_BYTES + bytes)}`);
  const number = whole >> BigInt(8 * bytes - bits);
  const digits = number
    .toString(16)
    .toUpperCase()
    .padStart(Math.ceil(bits / 4), "0");
  return { item: "card", reader: data.readUInt8(0), text: `${bits}:${digits}` };
}

const KEY_NAMES: ReadonlyMap<number, string> = new Map([
  [0x0d, "#"],
  [0x7f, "*"],
]);

/** KEYPAD: reader, count, one byte a key: digits in ASCII, 0x0D for #, 0x7F for *. */
export function keysOf(data: Buffer): ReaderEvent | undefined {
  const count = data[1] ?? 0;
  if (count === 0 || data.length < 2 + count) return undefined;
  const keys = [...data.subarray(2, 2 + count)].map((key) => KEY_NAMES.get(key) ?? printable(key));
  return { item: "keypad", reader: data.readUInt8(0), text: keys.join("") };
}

function printable(key: number): string {
  return key > 0x20 && key < 0x7f ? String.fromCharCode(key) : "?";
}
