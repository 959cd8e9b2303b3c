import { useConsole, useValue, useWording } from "../app/console-context.ts";
import type { LookName } from "../city/look.ts";
import { DARK, LIGHT } from "../map/palette.ts";
import type { Outline } from "../map/symbols.ts";
import type { TextKey } from "../texts/texts.ts";
import { SymbolSample } from "./symbol-sample.tsx";

const LEVELS = ["level-1", "level-2", "level-3", "level-4", "level-5"] as const;
const ROWS: readonly {
  readonly key: TextKey;
  readonly looks: readonly LookName[];
  readonly outline: Outline;
}[] = [
  { key: "look.level", looks: LEVELS, outline: "round" },
  { key: "look.off", looks: ["off"], outline: "round" },
  { key: "legend.present", looks: ["present"], outline: "diamond" },
  { key: "legend.active", looks: ["active"], outline: "diamond" },
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
            <SymbolSample palette={palette} looks={looks} outline={outline} />
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
