import { DeviceFault } from "../../../domain/errors.ts";
import type { PointDefinition } from "../../../domain/point.ts";
import type { PointValue } from "../../../domain/reading.ts";
import type { Sample } from "../../driver.ts";
import { compileScale, rawOf } from "../../scale.ts";
import type { AsciiAddress } from "./ascii-address.ts";
import { decimalsOf } from "./text-pattern.ts";

type Point = PointDefinition<AsciiAddress>;

const DECIMAL = /^[+-]?\d+(\.\d+)?$/;
const HEX = /^[0-9a-f]{1,12}$/i;

/** What the text in the value gap means. Text that means nothing is a fault of the point, never a number. */
export function sampleOf(point: Point, told: string): Sample {
  const text = told.trim();
  if (point.type === "text") return { value: text, takenAt: null };
  if (point.type === "boolean") return booleanOf(point, text);
  const { number } = point.address;
  if (!(number === "hex" ? HEX : DECIMAL).test(text)) return strange(point, text, `a ${number} number`);
  const raw = number === "hex" ? Number.parseInt(text, 16) : Number(text);
  if (point.sentinels?.includes(raw) === true) return { sentinel: raw };
  const value = compileScale(point.scale)(raw);
  return value === null ? strange(point, text, "a number that the scale has") : { value, takenAt: null };
}

/** The text to write, or why there is none. */
export function textOf(point: Point, value: PointValue): Written {
  switch (point.type) {
    case "text":
      return plainText(value);
    case "number":
      return numberText(point, value);
    default: {
      const { truth } = point.address;
      return typeof value === "boolean"
        ? { text: value ? truth.true : truth.false }
        : { why: "it takes true or false" };
    }
  }
}
type Written = { readonly text: string } | { readonly why: string };

function plainText(value: PointValue): Written {
  const isPlain = typeof value === "string" && /^[\x20-\x7e]{1,100}$/.test(value);
  return isPlain ? { text: value } : { why: "it takes 1 to 100 printable ASCII characters" };
}

function numberText(point: Point, value: PointValue): Written {
  const { address, scale } = point;
  const raw = typeof value === "number" ? rawOf(value, scale) : null;
  if (raw === null) return { why: "it takes a number that its scale has" };
  if (address.number === "hex") {
    const whole = Math.round(raw);
    return whole >= 0
      ? { text: whole.toString(16).toUpperCase() }
      : { why: "a hexadecimal number has no sign" };
  }
  const decimals = address.write === undefined ? undefined : decimalsOf(address.write.tell);
  return { text: decimals === undefined ? String(raw) : raw.toFixed(decimals) };
}

function booleanOf(point: Point, text: string): Sample {
  const { truth } = point.address;
  if (text === truth.true) return { value: true, takenAt: null };
  if (text === truth.false) return { value: false, takenAt: null };
  return strange(point, text, `${truth.true} or ${truth.false}`);
}

function strange(point: Point, text: string, expected: string): Sample {
  const cause = new Error(
    `${JSON.stringify(text.slice(0, 40))} is not ${expected}: check the profile's answer`,
  );
  return { fault: new DeviceFault("malformed-reply", `read ${point.name}`, { cause }) };
}
