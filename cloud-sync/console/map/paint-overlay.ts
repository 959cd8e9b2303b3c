import type { Contour } from "../city/contours.ts";
import type { PlaceTable } from "../city/place-table.ts";
import type { Camera, Size } from "./camera.ts";
import type { Palette } from "./palette.ts";

export interface OverlayPicture {
  readonly contours: readonly Contour[];
  readonly unknown: readonly boolean[];
  /** Written under the name of an area without link. */
  readonly unknownText: string;
  readonly table: PlaceTable;
  readonly selected: number | null;
  /** Ringed thinly: the lamps of a group or of a cabinet. */
  readonly members: readonly number[];
  /** A cross in the middle while the map has the keyboard. */
  readonly cross: "shown" | "hidden";
  readonly camera: Camera;
  readonly size: Size;
  readonly ratio: number;
  readonly palette: Palette;
}

const FONT = '"Inter", "Segoe UI", "Helvetica Neue", "Liberation Sans", Arial, sans-serif';
/** Below this scale (CSS pixels a metre) names would cover each other, and above it nobody needs them. */
const LABELS_FROM = 0.018;
const LABELS_TO = 0.5;
const MEMBERS_MAX = 500;

/** Names, the chosen place and its members, over the places. */
export function paintOverlay(canvas: HTMLCanvasElement, picture: OverlayPicture): void {
  const { size, ratio, camera } = picture;
  const [width, height] = [Math.round(size.width * ratio), Math.round(size.height * ratio)];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  if (context === null) return;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, size.width, size.height);
  if (camera.scale >= LABELS_FROM && camera.scale <= LABELS_TO) paintLabels(context, picture);
  context.strokeStyle = picture.palette.accent;
  context.lineWidth = 1;
  for (const place of picture.members.slice(0, MEMBERS_MAX)) ring(context, picture, place, 6);
  context.lineWidth = 2.5;
  if (picture.selected !== null) ring(context, picture, picture.selected, 11);
  if (picture.cross === "shown") paintCross(context, size);
}

function ring(
  context: CanvasRenderingContext2D,
  { table, camera, size }: OverlayPicture,
  place: number,
  radius: number,
): void {
  const x = ((table.x[place] ?? Number.NaN) - camera.x) * camera.scale + size.width / 2;
  const y = ((table.y[place] ?? Number.NaN) - camera.y) * camera.scale + size.height / 2;
  if (Number.isNaN(x)) return;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.stroke();
}

function paintCross(context: CanvasRenderingContext2D, { width, height }: Size): void {
  const [x, y] = [width / 2, height / 2];
  context.lineWidth = 1.5;
  context.beginPath();
  for (const [dx, dy] of [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
  ] as const) {
    context.moveTo(x + dx * 5, y + dy * 5);
    context.lineTo(x + dx * 14, y + dy * 14);
  }
  context.stroke();
}

function paintLabels(context: CanvasRenderingContext2D, picture: OverlayPicture): void {
  const { contours, camera, size, palette, unknown, unknownText } = picture;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  for (const [index, { name, label }] of contours.entries()) {
    const x = (label.x - camera.x) * camera.scale + size.width / 2;
    const y = (label.y - camera.y) * camera.scale + size.height / 2;
    const isUnknown = unknown[index] === true;
    context.font = `500 ${camera.scale > 0.06 ? 14 : 12}px ${FONT}`;
    write(context, name, { x, y: isUnknown ? y - 8 : y }, palette);
    context.font = `italic 400 12px ${FONT}`;
    if (isUnknown) write(context, unknownText, { x, y: y + 8 }, palette);
  }
}

function write(
  context: CanvasRenderingContext2D,
  text: string,
  at: { readonly x: number; readonly y: number },
  palette: Palette,
): void {
  context.lineWidth = 3;
  context.strokeStyle = palette.halo;
  context.strokeText(text, at.x, at.y);
  context.fillStyle = palette.label;
  context.fillText(text, at.x, at.y);
}
