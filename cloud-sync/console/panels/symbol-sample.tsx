import { useEffect, useRef } from "preact/hooks";
import type { LookName } from "../city/look.ts";
import type { Palette } from "../map/palette.ts";
import { makeStamp } from "../map/stamps.ts";
import type { Outline } from "../map/symbols.ts";

/** CSS pixels; drawn twice as fine. */
const SIZE = 18;
const RADIUS = 10;

/** Made of the very stamps that the map is made of, one for each look. */
export function SymbolSample(props: {
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
      const { dx, dy, pixel } = makeStamp({ ...palette.looks[look], glow: 0 }, outline, RADIUS);
      for (const [at, color] of pixel.entries())
        pixels[(SIZE + (dy[at] ?? 0)) * image.width + SIZE + index * SIZE * 2 + (dx[at] ?? 0)] = color;
    }
    context.putImageData(image, 0, 0);
  }, [palette, looks, outline]);
  return (
    <canvas
      ref={canvas}
      width={SIZE * looks.length * 2}
      height={SIZE * 2}
      class={`symbol of-${looks.length}`}
    />
  );
}
