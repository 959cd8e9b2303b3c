/** What of the plane is seen: `x`, `y` in metres lie in the middle; `scale` is CSS pixels a metre. */
export interface Camera {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}
export interface Size {
  readonly width: number;
  readonly height: number;
}

const SCALE_MIN = 0.01;
const SCALE_MAX = 6;
/** The middle stays within this many metres of the origin, so that nobody loses the city. */
const REACH = 20_000;

export function moved(camera: Camera, dx: number, dy: number): Camera {
  return held({ ...camera, x: camera.x - dx / camera.scale, y: camera.y - dy / camera.scale });
}

/** What lies under `at` (CSS pixels from the top left) stays there. */
export function zoomed(
  camera: Camera,
  factor: number,
  at: { readonly x: number; readonly y: number },
  size: Size,
): Camera {
  const scale = Math.min(SCALE_MAX, Math.max(SCALE_MIN, camera.scale * factor));
  const [dx, dy] = [at.x - size.width / 2, at.y - size.height / 2];
  const x = camera.x + dx / camera.scale - dx / scale;
  const y = camera.y + dy / camera.scale - dy / scale;
  return held({ x, y, scale });
}

/** The box (west, north, east, south in metres) with some air, `left` and `right` pixels of the view being covered. */
export function fitted(
  box: readonly [number, number, number, number],
  size: Size,
  covered: { readonly left: number; readonly right: number },
): Camera {
  const [west, north, east, south] = box;
  const width = Math.max(100, size.width - covered.left - covered.right);
  const scale = 0.92 * Math.min(width / (east - west), size.height / (south - north));
  const shift = (covered.right - covered.left) / 2 / scale;
  return held({ x: (west + east) / 2 + shift, y: (north + south) / 2, scale: Math.min(SCALE_MAX, scale) });
}

function held({ x, y, scale }: Camera): Camera {
  const within = (value: number): number => Math.min(REACH, Math.max(-REACH, value));
  return { x: within(x), y: within(y), scale };
}
