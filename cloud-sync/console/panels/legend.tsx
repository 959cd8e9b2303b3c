import { useEffect, useRef } from "preact/hooks";
import { useConsole, useValue, useWording } from "../app/console-context.ts";
import type { LookName } from "../city/look.ts";
import { DARK, LIGHT, type Palette } from "../map/palette.ts";
import { makeStamp, type Outline } from "../map/stamps.ts";
import type { TextKey } from "../texts/texts.ts";

const SIZE = 18;
const LEVELS = ["level-1", "level-2", "level-3", "level-4", "level-5"] as const;
const ROWS: readonly {
  readonly key: TextKey;
  readonly looks: readonly LookName[];
  readonly outline: Outline;
}[] = [
  { key: "look.level", looks: LEVELS, outline: "round" },
  { key: "look.off", looks: ["off"], outline: "round" },
  { key: "legend.cabinet", looks: ["present"], outline: "square" },
  { key: "look.alarm", looks: ["alarm"], outline: "round" },
  { key: "look.silent", looks: ["silent"], outline: "round" },
  { key: "look.old", looks: ["old"], outline: "round" },
  { key: "look.unknown", looks: ["unknown"], outline: "round" },
];

/** Made of the very stamps that the map is made of. */
export function Legend() {
  const wording = useWording();
  const theme = useValue(useConsole().preferences.theme);
  const palette = theme === "dark" ? DARK : LIGHT;
  return (
    <section class="legend">
      <h2>{wording.text("legend.title")}</h2>
      <ul>
        {ROWS.map(({ key, looks, outline }) => (
          <li key={key}>
            <Sample palette={palette} looks={looks} outline={outline} />
            {wording.text(key)}
          </li>
        ))}
        <li>
          <i class="hatched" aria-hidden="true" />
          {wording.text("legend.area")}
        </li>
      </ul>
    </section>
  );
}

function Sample(props: {
  readonly palette: Palette;
  readonly looks: readonly LookName[];
  readonly outline: Outline;
}) {
  const { palette, looks, outline } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    const image = context.createImageData(SIZE * looks.length * 2, SIZE * 2);
    const pixels = new Uint32Array(image.data.buffer);
    for (const [index, look] of looks.entries()) {
      const { dx, dy, pixel } = makeStamp({ ...palette.looks[look], glow: 0 }, outline, 9);
      for (const [at, color] of pixel.entries())
        pixels[(SIZE + (dy[at] ?? 0)) * image.width + SIZE + index * SIZE * 2 + (dx[at] ?? 0)] = color;
    }
    context.putImageData(image, 0, 0);
  }, [palette, looks, outline]);
  return (
    <canvas ref={canvas} width={SIZE * looks.length * 2} height={SIZE * 2} class={`of-${looks.length}`} />
  );
}
