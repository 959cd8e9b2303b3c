import { useConsole, useValue, useWording } from "../app/console-context.ts";
import { LANGUAGES } from "../texts/texts.ts";

export interface Choice<Key extends string> {
  readonly key: Key;
  readonly text: string;
}

/** One of few, each a button; `aria-pressed` tells which. */
export function Segments<Key extends string>(props: {
  readonly label: string;
  readonly choices: readonly Choice<Key>[];
  readonly chosen: Key;
  readonly onChoose: (key: Key) => void;
}) {
  return (
    <fieldset class="segments" aria-label={props.label}>
      {props.choices.map(({ key, text }) => (
        <button
          type="button"
          key={key}
          aria-pressed={key === props.chosen}
          onClick={() => props.onChoose(key)}
        >
          {text}
        </button>
      ))}
    </fieldset>
  );
}

export function LanguageSwitch() {
  const { language } = useConsole().preferences;
  const wording = useWording();
  return (
    <Segments
      label={wording.text("language.label")}
      choices={LANGUAGES.map((key) => ({ key, text: key.toUpperCase() }))}
      chosen={useValue(language)}
      onChoose={(key) => language.set(key)}
    />
  );
}

export function ThemeSwitch() {
  const { theme } = useConsole().preferences;
  const wording = useWording();
  const choices = [
    { key: "dark", text: wording.text("theme.dark") },
    { key: "light", text: wording.text("theme.light") },
  ] as const;
  return (
    <Segments
      label={wording.text("theme.label")}
      choices={choices}
      chosen={useValue(theme)}
      onChoose={(key) => theme.set(key)}
    />
  );
}
