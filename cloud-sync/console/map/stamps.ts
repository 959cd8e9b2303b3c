import type { Form, LookStyle } from "./palette.ts";
import { isPlain, type Outline, reachOf } from "./symbols.ts";

/** A small picture that is put on the map once for each place of one look. */
export interface Stamp {
  /** Half its side: it reaches from -reach to +reach. */
  readonly reach: number;
  /** Offsets in x and y and the pixel (ABGR, little-endian RGBA) of each point that is not empty. */
  readonly dx: Int16Array;
  readonly dy: Int16Array;
  readonly pixel: Uint32Array;
}

const SAMPLES = 4;
const GLOW_REACH = 3;

/** `radius` in device pixels. */
export function makeStamp(style: LookStyle, outline: Outline, radius: number): Stamp {
  const own = radius * style.size;
  const reach = Math.ceil(own * (style.glow > 0 && radius >= 2 ? GLOW_REACH : 1)) + 1;
  const dx: number[] = [];
  const dy: number[] = [];
  const pixel: number[] = [];
  const [red, green, blue] = style.color;
  for (let y = -reach; y <= reach; y += 1) {
    for (let x = -reach; x <= reach; x += 1) {
      const alpha = Math.max(coverage(style.form, outline, own, x, y), glowAt(style, own, Math.hypot(x, y)));
      const opacity = Math.round(255 * alpha);
      if (opacity === 0) continue;
      dx.push(x);
      dy.push(y);
      pixel.push(((opacity << 24) | (blue << 16) | (green << 8) | red) >>> 0);
    }
  }
  return { reach, dx: Int16Array.from(dx), dy: Int16Array.from(dy), pixel: Uint32Array.from(pixel) };
}

function glowAt({ glow }: LookStyle, radius: number, distance: number): number {
  if (glow === 0 || radius < 2) return 0;
  const rest = 1 - distance / (radius * GLOW_REACH);
  return rest <= 0 ? 0 : glow * rest * rest;
}

/** Share of the pixel at `x`, `y` that the form covers. */
function coverage(form: Form, outline: Outline, radius: number, x: number, y: number): number {
  let inside = 0;
  for (let row = 0; row < SAMPLES; row += 1) {
    for (let column = 0; column < SAMPLES; column += 1) {
      const px = x + (column + 0.5) / SAMPLES - 0.5;
      const py = y + (row + 0.5) / SAMPLES - 0.5;
      if (isInside(form, outline, radius, px, py)) inside += 1;
    }
  }
  return inside / (SAMPLES * SAMPLES);
}

function isInside(form: Form, outline: Outline, radius: number, x: number, y: number): boolean {
  const distance = reachOf(outline, x / radius, y / radius) * radius;
  const line = Math.max(1, radius * 0.36);
  const isRim = distance <= radius && distance >= radius - line;
  switch (form) {
    case "disc":
      return distance <= radius;
    case "ring":
      return isRim;
    case "cross":
      return (distance <= radius && isDiagonal(x, y, line)) || (isRim && !isPlain(outline));
    case "slashed":
      return distance <= radius && (isRim || Math.abs(x + y) <= line * 0.8);
    case "triangle":
      return isTriangle(x, y, radius) && !isCutOut(outline, x, y, radius);
    default:
      return form satisfies never;
  }
}

const isDiagonal = (x: number, y: number, line: number): boolean =>
  Math.abs(Math.abs(x) - Math.abs(y)) <= line * 0.7;

const isTriangle = (x: number, y: number, radius: number): boolean =>
  y <= radius * 0.75 && Math.abs(x) <= (y + radius) * 0.58;

/** What raises the alarm stands in its triangle; a lamp's is whole. */
function isCutOut(outline: Outline, x: number, y: number, radius: number): boolean {
  if (isPlain(outline)) return false;
  const inner = radius * 0.42;
  return reachOf(outline, x / inner, (y - radius * 0.22) / inner) <= 1;
}
