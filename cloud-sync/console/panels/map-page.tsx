import { useState } from "preact/hooks";
import type { LoadedCity } from "../app/console-context.ts";
import type { MapScene } from "../map/map-scene.ts";
import { FilterPanel } from "./filter-panel.tsx";
import { Legend } from "./legend.tsx";
import { MapView } from "./map-view.tsx";
import { SearchBox } from "./search-box.tsx";

export function MapPage({ city }: { readonly city: LoadedCity }) {
  const [scene, setScene] = useState<MapScene | undefined>(undefined);
  return (
    <div class="map-page">
      <aside class="side">
        <SearchBox city={city} scene={scene} />
        <FilterPanel city={city} scene={scene} />
        <Legend />
      </aside>
      <MapView city={city} onScene={setScene} />
    </div>
  );
}
