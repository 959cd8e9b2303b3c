import type { PointValue } from "../api/answers.ts";
import { isTextKey, type Language, type TextKey, textOf } from "./texts.ts";
import { valueText } from "./value-texts.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** UCUM codes that people write otherwise. */
const UNITS: Readonly<Record<string, string>> = { Cel: "°C", "1": "", h: "h", "kW.h": "kWh", "W.h": "Wh" };

/** Everything that people read, in one language and the zone of this machine. */
export class Wording {
  readonly language: Language;
  readonly #number: Intl.NumberFormat;
  readonly #share: Intl.NumberFormat;
  readonly #clock: Intl.DateTimeFormat;
  readonly #dayAndClock: Intl.DateTimeFormat;

  constructor(language: Language) {
    this.language = language;
    const locale = language === "fr" ? "fr-FR" : "en-GB";
    this.#number = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 });
    this.#share = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 2 });
    this.#clock = new Intl.DateTimeFormat(locale, { timeStyle: "medium" });
    this.#dayAndClock = new Intl.DateTimeFormat(locale, {
      day: "2-digit",
      month: "short",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
  }

  text(key: TextKey, values?: Readonly<Record<string, string | number>>): string {
    return textOf(this.language, key, values);
  }

  /** A text whose key comes from data; `fallback` where there is none. */
  textFor(key: string, fallback: string): string {
    return isTextKey(key) ? this.text(key) : fallback;
  }

  number(value: number): string {
    return this.#number.format(value);
  }

  share(value: number): string {
    return this.#share.format(value);
  }

  value(value: PointValue | null, unit: string | null): string {
    if (value === null) return "–";
    if (typeof value === "boolean") return this.text(value ? "value.true" : "value.false");
    if (typeof value === "string") return valueText(this.language, value);
    const shown = this.unit(unit);
    return shown === "" ? this.number(value) : `${this.number(value)} ${shown}`;
  }

  /** Empty for a bare number. */
  unit(unit: string | null): string {
    const code = unit ?? "1";
    return (Object.hasOwn(UNITS, code) ? UNITS[code] : undefined) ?? code;
  }

  /** In the largest unit that leaves a whole number above 1. */
  age(ms: number): string {
    if (!Number.isFinite(ms)) return this.text("age.never");
    if (ms < 2 * MINUTE) return this.text("age.seconds", { n: Math.floor(ms / SECOND) });
    if (ms < 2 * HOUR) return this.text("age.minutes", { n: Math.floor(ms / MINUTE) });
    if (ms < 2 * DAY) return this.text("age.hours", { n: Math.floor(ms / HOUR) });
    return this.text("age.days", { n: Math.floor(ms / DAY) });
  }

  clock(ms: number): string {
    return this.#clock.format(ms);
  }

  dayAndClock(ms: number): string {
    return this.#dayAndClock.format(ms);
  }
}
