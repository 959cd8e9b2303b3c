import { LOOKS } from "../city/look.ts";
import type { PlaceTable } from "../city/place-table.ts";
import type { Camera, Size } from "./camera.ts";
import type { Palette } from "./palette.ts";
import { makeStamp, type Stamp } from "./stamps.ts";
import { isMany, type Outline, outlineOf } from "./symbols.ts";

export interface PlacesPicture {
  readonly table: PlaceTable;
  readonly looks: Uint8Array;
  /** 1: shown. */
  readonly shown: Uint8Array;
  readonly looksShown: readonly boolean[];
  readonly camera: Camera;
  /** CSS pixels. */
  readonly size: Size;
  readonly ratio: number;
  readonly palette: Palette;
}

/** Puts a stamp for each place into the pixels of a canvas: a frame of 36,000 places costs some milliseconds. */
export class PlacePainter {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D | null;
  readonly #stamps = new Map<string, Stamp>();
  #image: ImageData | undefined;
  #pixels = new Uint32Array();
  #order: Uint32Array = new Uint32Array();

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
  }

  paint(picture: PlacesPicture): void {
    const image = this.#clear(picture);
    if (image === undefined) return;
    const { table, looks, camera, size, ratio } = picture;
    const scale = camera.scale * ratio;
    const [left, top] = [
      (size.width * ratio) / 2 - camera.x * scale,
      (size.height * ratio) / 2 - camera.y * scale,
    ];
    const stamps = this.#stampsFor(picture);
    this.#sort(picture);
    for (const place of this.#order) {
      const stamp = stamps[(table.classOf[place] ?? 0) * LOOKS.length + (looks[place] ?? 0)];
      const x = Math.round((table.x[place] ?? Number.NaN) * scale + left);
      const y = Math.round((table.y[place] ?? Number.NaN) * scale + top);
      if (stamp !== undefined) this.#put(stamp, x, y, image);
    }
    this.#context?.putImageData(image, 0, 0);
  }

  #clear({ size, ratio }: PlacesPicture): ImageData | undefined {
    const width = Math.max(1, Math.round(size.width * ratio));
    const height = Math.max(1, Math.round(size.height * ratio));
    if (this.#canvas.width !== width || this.#canvas.height !== height || this.#image === undefined) {
      this.#canvas.width = width;
      this.#canvas.height = height;
      this.#image = this.#context?.createImageData(width, height);
      this.#pixels = new Uint32Array(this.#image?.data.buffer ?? new ArrayBuffer(0));
    }
    this.#pixels.fill(0);
    return this.#image;
  }

  /** Those shown, in the order of their slots: counted first, then put in place. */
  #sort(picture: PlacesPicture): void {
    const slots = slotsOf(picture);
    const starts = new Uint32Array(SLOTS + 2);
    for (const slot of slots) starts[slot + 1] = (starts[slot + 1] ?? 0) + 1;
    // Slot 0 holds those that are not shown.
    starts[1] = 0;
    for (let slot = 2; slot < starts.length; slot += 1)
      starts[slot] = (starts[slot] ?? 0) + (starts[slot - 1] ?? 0);
    this.#order = new Uint32Array(starts[SLOTS + 1] ?? 0);
    for (const [place, slot] of slots.entries()) {
      if (slot === 0) continue;
      const at = starts[slot] ?? 0;
      this.#order[at] = place;
      starts[slot] = at + 1;
    }
  }

  /** Indexed by class and look. */
  #stampsFor({ table, camera, ratio, palette }: PlacesPicture): readonly Stamp[] {
    return table.answer.classes.flatMap((name) =>
      LOOKS.map((look) => {
        const outline = outlineOf(name);
        const radius = radiusAt(camera.scale, outline) * ratio;
        const key = `${palette.land} ${look} ${outline} ${radius}`;
        const stamp = this.#stamps.get(key) ?? makeStamp(palette.looks[look], outline, radius);
        this.#stamps.set(key, stamp);
        return stamp;
      }),
    );
  }

  /** Where stamps meet the more opaque pixel stays: a glow never dims a lamp. */
  #put(stamp: Stamp, x: number, y: number, { width, height }: ImageData): void {
    const { reach, dx, dy, pixel } = stamp;
    if (x < reach || y < reach || x >= width - reach || y >= height - reach) return;
    const pixels = this.#pixels;
    for (let index = 0; index < pixel.length; index += 1) {
      const at = (y + (dy[index] ?? 0)) * width + x + (dx[index] ?? 0);
      const color = pixel[index] ?? 0;
      if (color >>> 24 >= (pixels[at] ?? 0) >>> 24) pixels[at] = color;
    }
  }
}

const SLOTS = 2 * LOOKS.length;
/** What of each look needs nobody: the first of those that do is `old`. */
const CALM = LOOKS.indexOf("old");

/** From 1. What needs a person lies on top, and of both kinds what there is little of above what there is much of. */
function slotOf(look: number, above: number): number {
  if (look < CALM) return 1 + look + above * CALM;
  return 1 + 2 * look + above;
}

/** From 1, in the order in which they are painted; 0: it is not shown. */
function slotsOf({ table, looks, shown, looksShown }: PlacesPicture): Uint8Array {
  const above = table.answer.classes.map((name) => (isMany(outlineOf(name)) ? 0 : 1));
  const slots = new Uint8Array(table.count);
  for (let place = 0; place < table.count; place += 1) {
    const look = looks[place] ?? 0;
    const passes = shown[place] === 1 && looksShown[look] === true && !Number.isNaN(table.x[place]);
    slots[place] = passes ? slotOf(look, above[table.classOf[place] ?? 0] ?? 0) : 0;
  }
  return slots;
}

/** Of what there is little of, so that its figure can be told with the whole city in view. */
const FIGURE_MIN = 3.75;

/** CSS pixels, in steps of a quarter so that few stamps are made: from 1.1 with the whole city in view to 7 in a street. */
export function radiusAt(scale: number, outline: Outline): number {
  const grown = Math.min(7, 1.1 + 2.6 * Math.max(0, Math.log10(scale / 0.03)));
  const radius = isMany(outline)
    ? grown * (outline === "round" ? 1 : 1.25)
    : Math.max(FIGURE_MIN, grown * 1.35);
  return Math.round(radius * 4) / 4;
}
