import type { Contour } from "../city/contours.ts";
import type { Camera, Size } from "./camera.ts";
import type { Palette } from "./palette.ts";

export interface GroundPicture {
  readonly contours: readonly Contour[];
  /** Whether each municipality is unknown. */
  readonly unknown: readonly boolean[];
  readonly chosen: number | null;
  readonly camera: Camera;
  readonly size: Size;
  readonly ratio: number;
  readonly palette: Palette;
}

const HATCH_STEP = 7;

/** Land and borders; an area of which nothing is known is hatched. */
export function paintGround(canvas: HTMLCanvasElement, picture: GroundPicture): void {
  const { size, ratio, contours } = picture;
  const [width, height] = [Math.round(size.width * ratio), Math.round(size.height * ratio)];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  if (context === null) return;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, size.width, size.height);
  const paths = contours.map((contour) => pathOf(contour, picture));
  for (const [index, path] of paths.entries()) paintLand(context, path, picture, index);
  context.lineWidth = 1;
  context.strokeStyle = picture.palette.border;
  for (const path of paths) context.stroke(path);
  const chosen = paths[picture.chosen ?? -1];
  if (chosen !== undefined) {
    context.lineWidth = 2;
    context.strokeStyle = picture.palette.accent;
    context.stroke(chosen);
  }
}

function pathOf({ rings }: Contour, { camera, size }: GroundPicture): Path2D {
  const path = new Path2D();
  const [left, top] = [size.width / 2 - camera.x * camera.scale, size.height / 2 - camera.y * camera.scale];
  for (const ring of rings) {
    for (let at = 0; at < ring.length; at += 2) {
      const x = (ring[at] ?? 0) * camera.scale + left;
      const y = (ring[at + 1] ?? 0) * camera.scale + top;
      if (at === 0) path.moveTo(x, y);
      else path.lineTo(x, y);
    }
    path.closePath();
  }
  return path;
}

function paintLand(
  context: CanvasRenderingContext2D,
  path: Path2D,
  { palette, unknown, size }: GroundPicture,
  index: number,
): void {
  const isUnknown = unknown[index] === true;
  context.fillStyle = isUnknown ? palette.landHatched : palette.land;
  context.fill(path, "evenodd");
  if (!isUnknown) return;
  context.save();
  context.clip(path, "evenodd");
  context.strokeStyle = palette.hatch;
  context.lineWidth = 1;
  context.beginPath();
  for (let x = -size.height; x < size.width; x += HATCH_STEP) {
    context.moveTo(x, size.height);
    context.lineTo(x + size.height, 0);
  }
  context.stroke();
  context.restore();
}
