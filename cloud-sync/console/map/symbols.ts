/** The figure of a class of device, in which each look is drawn: no two classes have the same. */
export type Outline =
  | "round"
  | "square"
  | "diamond"
  | "bar"
  | "post"
  | "door"
  | "hexagon"
  | "star"
  | "person"
  | "house"
  | "plus";

const OUTLINES: Readonly<Record<string, Outline>> = {
  streetlight: "round",
  "segment-cabinet": "square",
  "traffic-cabinet": "diamond",
  barrier: "bar",
  bollard: "post",
  "access-point": "door",
  meter: "hexagon",
  "weather-station": "star",
  counter: "person",
  building: "house",
  "io-board": "plus",
};

/** A class of a newer center is square, like a cabinet. */
export function outlineOf(deviceClass: string): Outline {
  return (Object.hasOwn(OUTLINES, deviceClass) ? OUTLINES[deviceClass] : undefined) ?? "square";
}

/**
 * Lamps, cabinets and the meters in them are many, and small from afar; of all else there are few, and their figure is to
 * be seen.
 */
export function isMany(outline: Outline): boolean {
  return isPlain(outline) || outline === "hexagon";
}

/** A lamp or a cabinet: known by itself where a cross or a triangle stands for it. */
export function isPlain(outline: Outline): boolean {
  return outline === "round" || outline === "square";
}

/**
 * How far out a point lies by the figure: up to 1 it is inside. `u` to the right and `v` down, the figure's radius is 1; a
 * ring is what lies between two values.
 */
export function reachOf(outline: Outline, u: number, v: number): number {
  const [across, along] = [Math.abs(u), Math.abs(v)];
  switch (outline) {
    case "round":
      return Math.hypot(u, v);
    case "square":
      return Math.max(across, along) * 1.08;
    case "diamond":
      return (across + along) * 0.86;
    case "bar":
      return Math.max(across * 0.8, along * 2.1);
    case "post":
      return Math.max(across * 2.1, along * 0.8);
    case "door":
      return v < 0 ? Math.hypot(u * 1.45, v) : Math.max(across * 1.45, along);
    case "hexagon":
      return Math.max(along * 1.05, along * 0.52 + across * 0.91);
    case "star":
      return (Math.sqrt(across) + Math.sqrt(along)) ** 2 * 0.72;
    case "person":
      return Math.min(Math.hypot(u, v + 0.55) / 0.44, shoulders(across, v));
    case "house":
      return Math.max(across * 1.18, v * 1.1, across * 0.9 - v);
    case "plus":
      return Math.min(Math.max(across * 2.4, along), Math.max(across, along * 2.4));
    default:
      return outline satisfies never;
  }
}

/** Half a disc, flat below. */
function shoulders(across: number, v: number): number {
  return v > 0.95 || v < 0 ? 2 : Math.hypot(across / 0.82, (v - 0.95) / 0.95);
}
