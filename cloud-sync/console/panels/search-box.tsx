import { useEffect, useMemo, useState } from "preact/hooks";
import { type LoadedCity, useConsole, useValue, useWording } from "../app/console-context.ts";
import { LOOKS } from "../city/look.ts";
import type { Finding } from "../city/search.ts";
import type { MapScene } from "../map/map-scene.ts";
import { levelText } from "./level-text.ts";

const FOUND_MAX = 12;

interface SearchProps {
  readonly city: LoadedCity;
  readonly scene: MapScene | undefined;
}

/** A combobox: typing finds, arrows choose, Enter goes there, Escape leaves. */
export function SearchBox({ city, scene }: SearchProps) {
  const parts = useConsole();
  const wording = useWording();
  const [query, setQuery] = useState("");
  const [chosen, setChosen] = useState(0);
  const found = useMemo(() => city.search.find(query, FOUND_MAX), [city, query]);
  useEffect(() => setChosen(0), [query]);
  const go = (finding: Finding | undefined): void => {
    if (finding === undefined) return;
    setQuery("");
    if (finding.kind === "municipality") {
      parts.filters.set({ ...parts.filters.value, municipality: finding.municipality });
      scene?.showMunicipality(finding.municipality);
      return;
    }
    parts.device.set(city.model.table.key(finding.place));
    scene?.showPlace(finding.place);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Escape") setQuery("");
    else if (event.key === "ArrowDown") setChosen((at) => Math.min(found.length - 1, at + 1));
    else if (event.key === "ArrowUp") setChosen((at) => Math.max(0, at - 1));
    else if (event.key === "Enter") go(found[chosen]);
    else return;
    event.preventDefault();
  };
  const open = query.trim() !== "";
  return (
    <section class="search">
      <label for="search">{wording.text("search.label")}</label>
      <input
        id="search"
        type="search"
        role="combobox"
        autocomplete="off"
        spellcheck={false}
        placeholder={wording.text("search.hint")}
        aria-expanded={open}
        aria-controls="found"
        aria-activedescendant={open && found.length > 0 ? `found-${chosen}` : undefined}
        value={query}
        onInput={(event) => setQuery(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      {open && (
        <div id="found" class="found" role="listbox" tabIndex={-1} aria-label={wording.text("search.label")}>
          {found.length === 0 && <p class="none">{wording.text("search.none")}</p>}
          {found.map((finding, index) => (
            <div
              key={finding.kind === "place" ? `p${finding.place}` : `m${finding.municipality}`}
              id={`found-${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === chosen}
              onPointerDown={(event) => {
                event.preventDefault();
                go(finding);
              }}
            >
              <FindingText city={city} finding={finding} />
            </div>
          ))}
        </div>
      )}
    </section>
  );
}

function FindingText({ city, finding }: { readonly city: LoadedCity; readonly finding: Finding }) {
  const wording = useWording();
  useValue(city.model.version);
  if (finding.kind === "municipality")
    return (
      <>
        <b>{city.contours[finding.municipality]?.name}</b>
        <span>{wording.text("filter.municipality")}</span>
      </>
    );
  const { table, looks } = city.model;
  const municipality =
    city.contours[table.municipalityOf[finding.place] ?? -1]?.name ?? table.gateway(finding.place);
  const look = LOOKS[looks[finding.place] ?? 0] ?? "unknown";
  const facts = { level: city.model.level(finding.place), deviceClass: table.className(finding.place) };
  return (
    <>
      <b>{table.name(finding.place)}</b>
      <span>
        {municipality} · {levelText(wording, look, facts)}
      </span>
    </>
  );
}
