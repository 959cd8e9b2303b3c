import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import type { AlarmsAnswer } from "../api/answers.ts";
import type { CenterClient } from "../api/center-client.ts";
import type { CityModel } from "../city/city-model.ts";
import type { Contour } from "../city/contours.ts";
import type { Filters } from "../city/filters.ts";
import type { Observable } from "../city/observable.ts";
import type { PlaceSearch } from "../city/search.ts";
import type { Camera } from "../map/camera.ts";
import type { Language } from "../texts/texts.ts";
import { Wording } from "../texts/wording.ts";
import type { Preferences } from "./preferences.ts";

/** The city as it was read: made anew when a catalogue changes. */
export interface LoadedCity {
  readonly model: CityModel;
  readonly search: PlaceSearch;
  readonly contours: readonly Contour[];
  readonly attribution: string;
}

export const PAGES = ["map", "alarms", "commands", "gateways"] as const;
export type PageName = (typeof PAGES)[number];
export type CenterState = "connecting" | "live" | "lost" | "refused";

/** What all parts of the page share. */
export interface Console {
  readonly client: CenterClient;
  readonly preferences: Preferences;
  readonly city: Observable<LoadedCity | undefined>;
  readonly center: Observable<CenterState>;
  /** `<gateway>/<device>` of the open device page. */
  readonly device: Observable<string | null>;
  /** Places that belong to the open device: ringed on the map. */
  readonly members: Observable<readonly number[]>;
  readonly page: Observable<PageName>;
  /** As last read; undefined: not read yet. */
  readonly alarms: Observable<AlarmsAnswer | undefined>;
  readonly filters: Observable<Filters>;
  /** Where the map looked when it was last left; undefined: it was never open. */
  readonly camera: Observable<Camera | undefined>;
  /** Counts up whenever a command moved. */
  readonly commandsMoved: Observable<number>;
  /** Counts up once a second: ages are read from it. */
  readonly second: Observable<number>;
  /** Read aloud by screen readers. */
  readonly spoken: Observable<string>;
  readonly signIn: (token: string) => void;
  readonly signOut: () => void;
}

export const ConsoleContext = createContext<Console | undefined>(undefined);

export function useConsole(): Console {
  const value = useContext(ConsoleContext);
  if (value === undefined) throw new Error("a part of the console stands outside of it");
  return value;
}

export function useValue<Value>(observable: Observable<Value>): Value {
  const [, redraw] = useState(0);
  useEffect(() => {
    redraw((count) => count + 1);
    return observable.subscribe(() => redraw((count) => count + 1));
  }, [observable]);
  return observable.value;
}

const WORDINGS: Readonly<Record<Language, Wording>> = { fr: new Wording("fr"), en: new Wording("en") };

export function useWording(): Wording {
  return WORDINGS[useValue(useConsole().preferences.language)];
}
