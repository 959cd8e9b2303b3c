import {
  ILLEGAL_DATA_ADDRESS,
  ILLEGAL_DATA_VALUE,
  ModbusException,
  type ReadAnswer,
} from "./register-bank.ts";

/** Values by their first register, for a device whose map is written down value by value. */
export type RegisterWords = ReadonlyMap<number, readonly number[]>;

/** Big-endian float32, high word first. */
export function float32Words(value: number): readonly number[] {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatBE(value);
  return [bytes.readUInt16BE(0), bytes.readUInt16BE(2)];
}

/** A whole number in `count` registers, high word first, two's complement. */
export function integerWords(value: bigint, count: 1 | 2 | 4): readonly number[] {
  const bits = BigInt.asUintN(16 * count, value);
  return Array.from({ length: count }, (_, at) => Number((bits >> BigInt(16 * (count - 1 - at))) & 0xffffn));
}

/** An image of bits in registers, the first in the lowest place of the first register. */
export function imageWords(bits: ArrayLike<number | boolean>): readonly number[] {
  const words = Array.from({ length: Math.ceil(bits.length / 16) }, () => 0);
  for (let at = 0; at < bits.length; at += 1) {
    const word = at >> 4;
    if (Number(bits[at]) !== 0) words[word] = (words[word] ?? 0) | (1 << (at & 15));
  }
  return words;
}

/** ASCII, two characters a register, padded with NUL. */
export function textWords(text: string, count: number): readonly number[] {
  const bytes = Buffer.alloc(2 * count);
  bytes.write(text, "latin1");
  return Array.from({ length: count }, (_, at) => bytes.readUInt16BE(2 * at));
}

export interface Read {
  readonly address: number;
  readonly count: number;
  /** The most registers one read may have. */
  readonly most: number;
}

/**
 * Registers of a read that begins and ends at values of the map; between two values of one area, what is not
 * documented reads `filler`. Exceptions 2 (nothing there, or half a value) and 3 (too many).
 */
export function readWords(values: RegisterWords, read: Read, filler: number): ReadAnswer {
  const { address, count, most } = read;
  if (count > most) return new ModbusException(ILLEGAL_DATA_VALUE);
  const words: (number | undefined)[] = Array.from({ length: count });
  let end = 0;
  for (const [first, value] of values) {
    if (first + value.length <= address || first >= address + count) continue;
    if (first < address || first + value.length > address + count)
      return new ModbusException(ILLEGAL_DATA_ADDRESS);
    for (const [at, word] of value.entries()) words[first - address + at] = word;
    end = Math.max(end, first + value.length);
  }
  const isWhole = words[0] !== undefined && end === address + count;
  return isWhole ? words.map((word) => word ?? filler) : new ModbusException(ILLEGAL_DATA_ADDRESS);
}
