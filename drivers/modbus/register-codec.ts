/** How a value lies in registers. Modbus itself fixes only the byte order inside one (V1.1b3 §4.2: big). */
export interface RegisterLayout {
  readonly coding: NumberCoding | "text";
  /** 1 … 125. */
  readonly registers: number;
  /** `big`: the first register is the most significant one. */
  readonly wordOrder: Order;
  /** `little`: the unit swaps the two bytes of every register. */
  readonly byteOrder: Order;
}
/** A {@link RegisterLayout} of a number. */
export interface NumberLayout extends RegisterLayout {
  readonly coding: NumberCoding;
}
export type NumberCoding = "u16" | "s16" | "u32" | "s32" | "u64" | "s64" | "float32";
export type Order = "big" | "little";

export const REGISTERS_OF: Readonly<Record<NumberCoding, number>> = {
  u16: 1,
  s16: 1,
  u32: 2,
  s32: 2,
  float32: 2,
  u64: 4,
  s64: 4,
};

/** Inclusive bounds of what can be written exactly; 64-bit numbers are exact up to 2^53-1 only. */
const INTEGER_BOUNDS: Readonly<Record<Exclude<NumberCoding, "float32">, readonly [number, number]>> = {
  u16: [0, 0xffff],
  s16: [-0x8000, 0x7fff],
  u32: [0, 0xffff_ffff],
  s32: [-0x8000_0000, 0x7fff_ffff],
  u64: [0, Number.MAX_SAFE_INTEGER],
  s64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

const WORD = 0x1_0000;
const TWO_WORDS = 0x1_0000_0000;
const FLOAT32_MAX = (2 - 2 ** -23) * 2 ** 127;

/**
 * Reads a number from the bytes of a block, from byte `at`. A 64-bit integer beyond ±(2^53-1) comes back as the
 * nearest number, which is then no safe integer.
 */
export type NumberReader = (data: Buffer) => number;

/** Made once for a point of an exchange, called for every answer. */
export function compileNumber(layout: NumberLayout, at: number): NumberReader {
  const offsets = wordOffsets(layout, at);
  const [first = at, second = at, third = at, fourth = at] = offsets;
  const word = layout.byteOrder === "big" ? wordBig : wordLittle;
  const pair = (data: Buffer, high: number, low: number): number => word(data, high) * WORD + word(data, low);
  switch (layout.coding) {
    case "u16":
      return layout.byteOrder === "big" ? (data) => data.readUInt16BE(at) : (data) => data.readUInt16LE(at);
    case "s16":
      return layout.byteOrder === "big" ? (data) => data.readInt16BE(at) : (data) => data.readInt16LE(at);
    case "u32":
      return (data) => pair(data, first, second);
    case "s32":
      return (data) => pair(data, first, second) | 0;
    case "u64":
      return (data) => pair(data, first, second) * TWO_WORDS + pair(data, third, fourth);
    case "s64":
      return (data) => (pair(data, first, second) | 0) * TWO_WORDS + pair(data, third, fourth);
    case "float32": {
      const scratch = Buffer.alloc(4);
      return (data) => {
        scratch.writeUInt32BE(pair(data, first, second));
        return scratch.readFloatBE(0);
      };
    }
  }
}

/** Text of the registers: ISO 8859-1, without the NULs and spaces around it, up to the first NUL inside. */
export function compileText(layout: RegisterLayout, at: number): (data: Buffer) => string {
  const offsets = wordOffsets(layout, at);
  const word = layout.byteOrder === "big" ? wordBig : wordLittle;
  return (data) => {
    const bytes = Buffer.alloc(2 * layout.registers);
    for (const [index, offset] of offsets.entries()) bytes.writeUInt16BE(word(data, offset), 2 * index);
    const text = bytes.toString("latin1").replace(/^[\0 ]+/, "");
    return (text.split("\0", 1)[0] ?? "").trimEnd();
  };
}

/** The registers of `raw`, rounded to the nearest step, in the order they are sent; `null` where it does not fit. */
export function numberToRegisters(raw: number, layout: NumberLayout): readonly number[] | null {
  if (layout.coding === "float32") {
    if (Number.isNaN(raw) || Math.abs(raw) > FLOAT32_MAX) return null;
    const scratch = Buffer.alloc(4);
    scratch.writeFloatBE(raw);
    return ordered([scratch.readUInt16BE(0), scratch.readUInt16BE(2)], layout);
  }
  const [min, max] = INTEGER_BOUNDS[layout.coding];
  const whole = Math.round(raw);
  if (Number.isNaN(whole) || whole < min || whole > max) return null;
  const words: number[] = [];
  let rest = whole;
  for (let index = 0; index < layout.registers; index += 1) {
    const low = ((rest % WORD) + WORD) % WORD;
    words.unshift(low);
    rest = (rest - low) / WORD;
  }
  return ordered(words, layout);
}

/** Padded with NUL; `null` where it is too long or not ASCII. */
export function textToRegisters(text: string, layout: RegisterLayout): readonly number[] | null {
  // Control characters have no place in a label, and what is not ASCII means something else in every device.
  if (text.length > 2 * layout.registers || !/^[\x20-\x7e]*$/.test(text)) return null;
  const bytes = Buffer.alloc(2 * layout.registers);
  bytes.write(text, "latin1");
  const words = Array.from({ length: layout.registers }, (_, index) => bytes.readUInt16BE(2 * index));
  return ordered(words, layout);
}

/** Where the words of a value lie, most significant first. */
function wordOffsets(layout: RegisterLayout, at: number): readonly number[] {
  const offsets = Array.from({ length: layout.registers }, (_, index) => at + 2 * index);
  return layout.wordOrder === "big" ? offsets : offsets.reverse();
}

function ordered(words: readonly number[], layout: RegisterLayout): readonly number[] {
  const sent = layout.wordOrder === "big" ? words : words.toReversed();
  return layout.byteOrder === "big" ? sent : sent.map((word) => ((word & 0xff) << 8) | (word >> 8));
}

const wordBig = (data: Buffer, offset: number): number => data.readUInt16BE(offset);
const wordLittle = (data: Buffer, offset: number): number => data.readUInt16LE(offset);
