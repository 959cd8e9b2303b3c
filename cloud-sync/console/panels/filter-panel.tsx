import { useMemo } from "preact/hooks";
import { type LoadedCity, useConsole, useValue, useWording } from "../app/console-context.ts";
import { countLooks, DOUBTFUL, type Filters, NO_FILTERS, placesShown, TROUBLE } from "../city/filters.ts";
import type { LookName } from "../city/look.ts";
import type { MapScene } from "../map/map-scene.ts";
import { DARK, LIGHT } from "../map/palette.ts";
import { outlineOf } from "../map/symbols.ts";
import { SymbolSample } from "./symbol-sample.tsx";

const STATES = ["all", "trouble", "doubtful", "on", "off"] as const;

/** Filters by municipality, class and state, with how many places each state has. */
export function FilterPanel({
  city,
  scene,
}: {
  readonly city: LoadedCity;
  readonly scene: MapScene | undefined;
}) {
  const { filters } = useConsole();
  const wording = useWording();
  const wanted = useValue(filters);
  const change = (changes: Partial<Filters>): void => filters.set({ ...wanted, ...changes });
  const chooseMunicipality = (value: string): void => {
    const municipality = value === "" ? null : Number(value);
    change({ municipality });
    if (municipality === null) scene?.showAll();
    else scene?.showMunicipality(municipality);
  };
  return (
    <section class="filters" aria-label={wording.text("filter.title")}>
      <label for="municipality">{wording.text("filter.municipality")}</label>
      <select
        id="municipality"
        value={wanted.municipality === null ? "" : String(wanted.municipality)}
        onChange={(event) => chooseMunicipality(event.currentTarget.value)}
      >
        <option value="">{wording.text("filter.everywhere")}</option>
        {city.contours.map(({ name }, index) => (
          <option key={name} value={String(index)}>
            {name}
          </option>
        ))}
      </select>
      <ClassFilter city={city} wanted={wanted} change={change} />
      <StateFilter city={city} wanted={wanted} change={change} />
      {isNarrowed(wanted) && (
        <button type="button" class="quiet" onClick={() => filters.set(NO_FILTERS)}>
          {wording.text("filter.reset")}
        </button>
      )}
    </section>
  );
}

function isNarrowed({ municipality, classes, state }: Filters): boolean {
  return municipality !== null || classes.size > 0 || state !== "all";
}

interface PartProps {
  readonly city: LoadedCity;
  readonly wanted: Filters;
  readonly change: (changes: Partial<Filters>) => void;
}

const RESTING: readonly LookName[] = ["present"];

/** With each class the figure that it has on the map. */
function ClassFilter({ city, wanted, change }: PartProps) {
  const wording = useWording();
  const palette = useValue(useConsole().preferences.theme) === "dark" ? DARK : LIGHT;
  const toggle = (name: string): void => {
    const classes = new Set(wanted.classes);
    if (!classes.delete(name)) classes.add(name);
    change({ classes });
  };
  return (
    <fieldset>
      <legend>{wording.text("filter.classes")}</legend>
      <div class="chips">
        {city.model.table.answer.classes.map((name) => (
          <button
            type="button"
            key={name}
            aria-pressed={wanted.classes.has(name)}
            onClick={() => toggle(name)}
          >
            <SymbolSample palette={palette} looks={RESTING} outline={outlineOf(name)} />
            {wording.textFor(`class.${name}`, name)}
          </button>
        ))}
      </div>
    </fieldset>
  );
}

function StateFilter({ city, wanted, change }: PartProps) {
  const wording = useWording();
  const version = useValue(city.model.version);
  const shown = useMemo(
    () => placesShown(city.model.table, wanted),
    [city, wanted.municipality, wanted.classes],
  );
  const counts = useMemo(() => countLooks(city.model.looks, shown), [version, shown]);
  const sum = (looks: readonly LookName[]): number => looks.reduce((total, look) => total + counts[look], 0);
  const on = ["level-1", "level-2", "level-3", "level-4", "level-5"] as const;
  const all = Object.values(counts).reduce((total, count) => total + count, 0);
  const numbers = { all, trouble: sum(TROUBLE), doubtful: sum(DOUBTFUL), on: sum(on), off: counts.off };
  return (
    <fieldset>
      <legend>{wording.text("filter.state")}</legend>
      <div class="states">
        {STATES.map((state) => (
          <button
            type="button"
            key={state}
            class={state}
            aria-pressed={wanted.state === state}
            onClick={() => change({ state })}
          >
            <span>{wording.text(`state.${state}`)}</span>
            <b>{wording.number(numbers[state])}</b>
          </button>
        ))}
      </div>
    </fieldset>
  );
}
