import { Observable } from "../city/observable.ts";
import { LANGUAGES, type Language } from "../texts/texts.ts";

export type Theme = "dark" | "light";
const THEMES: readonly Theme[] = ["dark", "light"];
const KEYS = { language: "nerve.language", theme: "nerve.theme" } as const;
/** Hours in which a control room is dark: used until somebody chooses. */
const NIGHT = { from: 19, to: 7 } as const;

/** What a person chose, kept in this browser. */
export interface Preferences {
  readonly language: Observable<Language>;
  readonly theme: Observable<Theme>;
}

export function loadPreferences(): Preferences {
  const stored = (key: string): string | null => window.localStorage.getItem(key);
  const language = LANGUAGES.find((each) => each === stored(KEYS.language)) ?? languageOfBrowser();
  const theme = THEMES.find((each) => each === stored(KEYS.theme)) ?? themeOfHour();
  const preferences = { language: new Observable(language), theme: new Observable(theme) };
  const apply = (): void => {
    document.documentElement.lang = preferences.language.value;
    document.documentElement.dataset["theme"] = preferences.theme.value;
  };
  preferences.language.subscribe(() => {
    window.localStorage.setItem(KEYS.language, preferences.language.value);
    apply();
  });
  preferences.theme.subscribe(() => {
    window.localStorage.setItem(KEYS.theme, preferences.theme.value);
    apply();
  });
  apply();
  return preferences;
}

function languageOfBrowser(): Language {
  return LANGUAGES.find((each) => navigator.language.startsWith(each)) ?? "fr";
}

/** Dark at night, and whenever the system asks for it. */
function themeOfHour(): Theme {
  const hour = new Date().getHours();
  const night = hour >= NIGHT.from || hour < NIGHT.to;
  return night || window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}
