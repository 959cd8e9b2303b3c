import { moved, zoomed } from "./camera.ts";
import type { MapScene } from "./map-scene.ts";

export interface MapHands {
  /** A place was clicked, or chosen in the middle with Enter; undefined: nothing is there. */
  readonly choose: (place: number | undefined) => void;
  readonly hover: (place: number | undefined, at: { readonly x: number; readonly y: number }) => void;
}

interface Touch {
  readonly x: number;
  readonly y: number;
}

const STEP = 90;
const ZOOM_STEP = 1.5;
/** A pointer that moved less than this many CSS pixels clicked. */
const CLICK_TRAVEL = 5;

/** Pointer, wheel, pinch and keys of the map. Ends with `signal`. */
export function followHands(
  element: HTMLElement,
  scene: MapScene,
  hands: MapHands,
  signal: AbortSignal,
): void {
  const touches = new Map<number, Touch>();
  let travel = 0;
  const at = (event: MouseEvent): Touch => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const onDown = (event: PointerEvent): void => {
    element.setPointerCapture(event.pointerId);
    touches.set(event.pointerId, at(event));
    if (touches.size === 1) travel = 0;
  };
  const onMove = (event: PointerEvent): void => {
    const before = touches.get(event.pointerId);
    const now = at(event);
    if (before === undefined) {
      hands.hover(scene.placeAt(now), now);
      return;
    }
    const other = [...touches].find(([id]) => id !== event.pointerId)?.[1];
    touches.set(event.pointerId, now);
    travel += Math.hypot(now.x - before.x, now.y - before.y);
    if (other === undefined) scene.look(moved(scene.camera, now.x - before.x, now.y - before.y));
    else pinch(scene, { before, now, other });
  };
  const onUp = (event: PointerEvent): void => {
    const there = touches.delete(event.pointerId);
    if (there && event.type === "pointerup" && touches.size === 0 && travel < CLICK_TRAVEL)
      hands.choose(scene.placeAt(at(event)));
  };
  const onWheel = (event: WheelEvent): void => {
    event.preventDefault();
    scene.look(zoomed(scene.camera, Math.exp(-event.deltaY / 400), at(event), scene.size));
  };
  element.addEventListener("pointerdown", onDown, { signal });
  element.addEventListener("pointermove", onMove, { signal });
  element.addEventListener("pointerup", onUp, { signal });
  element.addEventListener("pointercancel", onUp, { signal });
  element.addEventListener("pointerleave", () => hands.hover(undefined, { x: 0, y: 0 }), { signal });
  element.addEventListener("wheel", onWheel, { signal, passive: false });
  element.addEventListener("keydown", (event) => onKey(event, scene, hands), { signal });
}

function pinch(
  scene: MapScene,
  { before, now, other }: { readonly before: Touch; readonly now: Touch; readonly other: Touch },
): void {
  const [was, is] = [
    Math.hypot(before.x - other.x, before.y - other.y),
    Math.hypot(now.x - other.x, now.y - other.y),
  ];
  const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
  const panned = moved(scene.camera, (now.x - before.x) / 2, (now.y - before.y) / 2);
  scene.look(was === 0 ? panned : zoomed(panned, is / was, middle, scene.size));
}

function onKey(event: KeyboardEvent, scene: MapScene, hands: MapHands): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const { size } = scene;
  const middle = { x: size.width / 2, y: size.height / 2 };
  const pan = (dx: number, dy: number) => (): void => scene.look(moved(scene.camera, dx, dy));
  const zoom = (factor: number) => (): void => scene.look(zoomed(scene.camera, factor, middle, size));
  const keys: Readonly<Record<string, () => void>> = {
    ArrowLeft: pan(STEP, 0),
    ArrowRight: pan(-STEP, 0),
    ArrowUp: pan(0, STEP),
    ArrowDown: pan(0, -STEP),
    "+": zoom(ZOOM_STEP),
    "=": zoom(ZOOM_STEP),
    "-": zoom(1 / ZOOM_STEP),
    "0": () => scene.showAll(),
    Enter: () => hands.choose(scene.placeAt(middle)),
  };
  const act = keys[event.key];
  if (act === undefined) return;
  event.preventDefault();
  act();
}
