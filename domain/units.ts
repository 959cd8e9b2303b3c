/**
 * The UCUM codes (case sensitive) that points of a city use; a new one is a new row. A closed list, since a
 * mistyped unit is a wrong figure that looks right.
 */
const UNITS = {
  "1": "a bare number",
  "%": "percent",
  W: "watt",
  kW: "kilowatt",
  VA: "volt ampere",
  kVA: "kilovolt ampere",
  var: "volt ampere reactive",
  kvar: "kilovolt ampere reactive",
  Wh: "watt hour",
  kWh: "kilowatt hour",
  VAh: "volt ampere hour",
  varh: "volt ampere reactive hour",
  mV: "millivolt",
  V: "volt",
  mA: "milliampere",
  A: "ampere",
  Hz: "hertz",
  "1/min": "per minute",
  "1/h": "per hour",
  ms: "millisecond",
  s: "second",
  min: "minute",
  h: "hour",
  d: "day",
  Cel: "degree Celsius",
  K: "kelvin",
  lx: "lux",
  lm: "lumen",
  cd: "candela",
  deg: "degree of angle",
  mm: "millimetre",
  cm: "centimetre",
  m: "metre",
  km: "kilometre",
  "m/s": "metre per second",
  "km/h": "kilometre per hour",
  "mm/h": "millimetre per hour",
  Pa: "pascal",
  hPa: "hectopascal",
  bar: "bar",
  L: "litre",
  m3: "cubic metre",
  "m3/h": "cubic metre per hour",
  kg: "kilogram",
  "[ppm]": "parts per million",
  "ug/m3": "microgram per cubic metre",
  "W/m2": "watt per square metre",
  Ohm: "ohm",
  By: "byte",
  "bit/s": "bit per second",
} as const satisfies Record<string, string>;

export type Unit = keyof typeof UNITS;
export const UNIT_CODES = Object.keys(UNITS).filter(isUnit);

/** What people write instead, in lower case. `C` is UCUM's coulomb, `F` its farad. */
const MISTAKES: Readonly<Record<string, Unit>> = {
  c: "Cel",
  "°c": "Cel",
  degc: "Cel",
  celsius: "Cel",
  percent: "%",
  pct: "%",
  sec: "s",
  second: "s",
  seconds: "s",
  minute: "min",
  minutes: "min",
  hour: "h",
  hours: "h",
  hr: "h",
  day: "d",
  days: "d",
  watt: "W",
  watts: "W",
  volt: "V",
  volts: "V",
  amp: "A",
  amps: "A",
  ampere: "A",
  lux: "lx",
  "°": "deg",
  degree: "deg",
  degrees: "deg",
  rpm: "1/min",
  ppm: "[ppm]",
  "µg/m3": "ug/m3",
  "m³": "m3",
  none: "1",
  "": "1",
};

export function isUnit(text: string): text is Unit {
  return Object.hasOwn(UNITS, text);
}

/** The code that was probably meant: another case, or a common name. */
export function findUnitMeant(text: string): Unit | undefined {
  const lower = text.trim().toLowerCase();
  if (Object.hasOwn(MISTAKES, lower)) return MISTAKES[lower];
  return UNIT_CODES.find((code) => code.toLowerCase() === lower);
}
