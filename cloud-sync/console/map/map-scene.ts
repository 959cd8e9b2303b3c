import type { CityModel } from "../city/city-model.ts";
import type { Contour } from "../city/contours.ts";
import { type Filters, looksShown, placesShown } from "../city/filters.ts";
import { type Camera, fitted, type Size } from "./camera.ts";
import { paintGround } from "./paint-ground.ts";
import { paintOverlay } from "./paint-overlay.ts";
import { PlacePainter, radiusAt } from "./paint-places.ts";
import type { Palette } from "./palette.ts";

/** What the page wants to see; a new one takes the place of the old. */
export interface SceneWish {
  readonly filters: Filters;
  readonly palette: Palette;
  readonly selected: number | null;
  readonly members: readonly number[];
  readonly unknownText: string;
  readonly cross: "shown" | "hidden";
}

export interface SceneCanvases {
  readonly ground: HTMLCanvasElement;
  readonly places: HTMLCanvasElement;
  readonly overlay: HTMLCanvasElement;
}

/** CSS pixels within which a click still means a place. */
const CLICK_REACH = 12;
/** Panels float over the map on the left. */
const COVERED = { left: 320, right: 0 };
const COVERED_FROM_WIDTH = 900;

/** The map: holds the camera, and paints on the next frame whatever changed. */
export class MapScene {
  readonly #city: CityModel;
  readonly #contours: readonly Contour[];
  readonly #canvases: SceneCanvases;
  readonly #painter: PlacePainter;
  #wish: SceneWish;
  #shown: Uint8Array;
  #camera: Camera = { x: 0, y: 0, scale: 0.03 };
  #begun: "not-yet" | "begun" = "not-yet";
  #size: Size = { width: 1, height: 1 };
  #frame = 0;

  constructor(city: CityModel, contours: readonly Contour[], canvases: SceneCanvases, wish: SceneWish) {
    this.#city = city;
    this.#contours = contours;
    this.#canvases = canvases;
    this.#painter = new PlacePainter(canvases.places);
    this.#wish = wish;
    this.#shown = placesShown(city.table, wish.filters);
  }

  get camera(): Camera {
    return this.#camera;
  }

  get size(): Size {
    return this.#size;
  }

  look(camera: Camera): void {
    this.#camera = camera;
    this.#begun = "begun";
    this.paintSoon();
  }

  wish(wish: SceneWish): void {
    if (wish.filters !== this.#wish.filters) this.#shown = placesShown(this.#city.table, wish.filters);
    this.#wish = wish;
    this.paintSoon();
  }

  resize(size: Size): void {
    this.#size = size;
    if (this.#begun === "not-yet") this.showAll();
    else this.paintSoon();
  }

  showAll(): void {
    const boxes = this.#contours.map(({ box }) => box);
    this.#showBox([
      Math.min(...boxes.map(([west]) => west)),
      Math.min(...boxes.map(([, north]) => north)),
      Math.max(...boxes.map(([, , east]) => east)),
      Math.max(...boxes.map(([, , , south]) => south)),
    ]);
  }

  showMunicipality(index: number): void {
    const contour = this.#contours[index];
    if (contour !== undefined) this.#showBox(contour.box);
  }

  /** Comes near, if it is far, with the place in the middle. */
  showPlace(place: number): void {
    const [x, y] = [this.#city.table.x[place] ?? Number.NaN, this.#city.table.y[place] ?? Number.NaN];
    if (!Number.isNaN(x)) this.look({ x, y, scale: Math.max(this.#camera.scale, 0.6) });
  }

  /** The shown place nearest to a point of the view. */
  placeAt(at: { readonly x: number; readonly y: number }): number | undefined {
    const { table, looks } = this.#city;
    const { scale } = this.#camera;
    const x = (at.x - this.#size.width / 2) / scale + this.#camera.x;
    const y = (at.y - this.#size.height / 2) / scale + this.#camera.y;
    const states = looksShown(this.#wish.filters);
    const reach = (CLICK_REACH + radiusAt(scale, "round")) / scale;
    let best: number | undefined;
    let nearest = reach * reach;
    for (let place = 0; place < table.count; place += 1) {
      const [dx, dy] = [(table.x[place] ?? Number.NaN) - x, (table.y[place] ?? Number.NaN) - y];
      const distance = dx * dx + dy * dy;
      if (!(distance < nearest) || this.#shown[place] !== 1 || states[looks[place] ?? 0] !== true) continue;
      nearest = distance;
      best = place;
    }
    return best;
  }

  paintSoon(): void {
    if (this.#frame === 0) this.#frame = window.requestAnimationFrame(() => this.#paint());
  }

  close(): void {
    window.cancelAnimationFrame(this.#frame);
  }

  #showBox(box: readonly [number, number, number, number]): void {
    const covered = this.#size.width >= COVERED_FROM_WIDTH ? COVERED : { left: 0, right: 0 };
    this.look(fitted(box, this.#size, covered));
  }

  #paint(): void {
    this.#frame = 0;
    const { filters, palette, selected, members, unknownText, cross } = this.#wish;
    const ratio = Math.min(2, window.devicePixelRatio);
    const view = { camera: this.#camera, size: this.#size, ratio, palette };
    const contours = this.#contours;
    const unknown = this.#city.unknownMunicipalities(contours.length);
    paintGround(this.#canvases.ground, { ...view, contours, unknown, chosen: filters.municipality });
    const { table, looks } = this.#city;
    this.#painter.paint({ ...view, table, looks, shown: this.#shown, looksShown: looksShown(filters) });
    paintOverlay(this.#canvases.overlay, {
      ...view,
      contours,
      unknown,
      unknownText,
      table,
      selected,
      members,
      cross,
    });
    // Whoever watches the page can tell a painted map from an empty one.
    this.#canvases.places.dataset["painted"] = String(
      Number(this.#canvases.places.dataset["painted"] ?? 0) + 1,
    );
  }
}
