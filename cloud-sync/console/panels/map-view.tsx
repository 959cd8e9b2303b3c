import { useEffect, useRef, useState } from "preact/hooks";
import { type LoadedCity, useConsole, useValue, useWording } from "../app/console-context.ts";
import { LOOKS } from "../city/look.ts";
import { zoomed } from "../map/camera.ts";
import { followHands } from "../map/map-hands.ts";
import { MapScene, type SceneCanvases, type SceneWish } from "../map/map-scene.ts";
import { DARK, LIGHT } from "../map/palette.ts";
import { levelText } from "./level-text.ts";

interface MapViewProps {
  readonly city: LoadedCity;
  readonly onScene: (scene: MapScene | undefined) => void;
}
type Hover = { readonly place: number; readonly x: number; readonly y: number } | undefined;

export function MapView({ city, onScene }: MapViewProps) {
  const wording = useWording();
  const ground = useRef<HTMLCanvasElement>(null);
  const places = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<HTMLCanvasElement>(null);
  const [hover, setHover] = useState<Hover>(undefined);
  const [cross, setCross] = useState<"shown" | "hidden">("hidden");
  const wish = useWish(city, cross);
  const scene = useScene({ city, onScene, canvases: { ground, places, overlay }, wish, setHover });
  const zoom = (factor: number) => (): void => {
    if (scene === undefined) return;
    const middle = { x: scene.size.width / 2, y: scene.size.height / 2 };
    scene.look(zoomed(scene.camera, factor, middle, scene.size));
  };
  return (
    <div class="map">
      <canvas ref={ground} class="ground" />
      <canvas ref={places} class="places" />
      {/* The uppermost takes the hands. It is moved by keys as it is by hand, and says so. */}
      <canvas
        ref={overlay}
        class="map-hands"
        role="application"
        tabIndex={0}
        aria-label={wording.text("map.label")}
        onFocus={(event) => setCross(event.currentTarget.matches(":focus-visible") ? "shown" : "hidden")}
        onBlur={() => setCross("hidden")}
      />
      {hover !== undefined && <MapHint city={city} hover={hover} />}
      <div class="map-buttons">
        <button
          type="button"
          aria-label={wording.text("map.in")}
          title={wording.text("map.in")}
          onClick={zoom(1.6)}
        >
          +
        </button>
        <button
          type="button"
          aria-label={wording.text("map.out")}
          title={wording.text("map.out")}
          onClick={zoom(1 / 1.6)}
        >
          −
        </button>
        <button
          type="button"
          aria-label={wording.text("map.all")}
          title={wording.text("map.all")}
          onClick={() => scene?.showAll()}
        >
          ⤢
        </button>
      </div>
      <p class="attribution">{city.attribution}</p>
    </div>
  );
}

/** What the page wants the map to show now. */
function useWish(city: LoadedCity, cross: "shown" | "hidden"): SceneWish {
  const parts = useConsole();
  const wording = useWording();
  const { table } = city.model;
  const key = useValue(parts.device);
  const selected = key === null ? null : (table.find(key) ?? null);
  const theme = useValue(parts.preferences.theme);
  return {
    filters: useValue(parts.filters),
    palette: theme === "dark" ? DARK : LIGHT,
    selected,
    members: useValue(parts.members),
    unknownText: wording.text("map.unknown"),
    cross,
  };
}

type CanvasRef = { readonly current: HTMLCanvasElement | null };

function useScene({
  city,
  onScene,
  canvases,
  wish,
  setHover,
}: MapViewProps & {
  readonly canvases: Readonly<Record<keyof SceneCanvases, CanvasRef>>;
  readonly wish: SceneWish;
  readonly setHover: (hover: Hover) => void;
}): MapScene | undefined {
  const parts = useConsole();
  const [scene, setScene] = useState<MapScene | undefined>(undefined);
  useEffect(() => {
    const { current: ground } = canvases.ground;
    const { current: places } = canvases.places;
    const { current: element } = canvases.overlay;
    if (ground === null || places === null || element === null) return;
    const made = new MapScene(city.model, city.contours, { ground, places, overlay: element }, wish);
    if (parts.camera.value !== undefined) made.look(parts.camera.value);
    const ended = new AbortController();
    const choose = (place: number | undefined): void =>
      parts.device.set(place === undefined ? null : city.model.table.key(place));
    const hover = (place: number | undefined, at: { readonly x: number; readonly y: number }): void =>
      setHover(place === undefined ? undefined : { place, ...at });
    followHands(element, made, { choose, hover }, ended.signal);
    const resized = new ResizeObserver(() =>
      made.resize({ width: element.clientWidth, height: element.clientHeight }),
    );
    resized.observe(element);
    const stop = city.model.version.subscribe(() => made.paintSoon());
    setScene(made);
    onScene(made);
    return () => {
      ended.abort();
      resized.disconnect();
      stop();
      parts.camera.set(made.camera);
      made.close();
      onScene(undefined);
    };
  }, [city]);
  useEffect(() => scene?.wish(wish));
  return scene;
}

const factsOf = ({ model }: LoadedCity, place: number) => ({
  level: model.level(place),
  deviceClass: model.table.className(place),
});

function MapHint({ city, hover }: { readonly city: LoadedCity; readonly hover: NonNullable<Hover> }) {
  const wording = useWording();
  useValue(city.model.version);
  const { table } = city.model;
  const look = LOOKS[city.model.looks[hover.place] ?? 0] ?? "unknown";
  return (
    <p class="map-hint" style={{ left: `${hover.x + 14}px`, top: `${hover.y + 14}px` }}>
      <b>{table.name(hover.place)}</b>
      <span>{levelText(wording, look, factsOf(city, hover.place))}</span>
    </p>
  );
}
