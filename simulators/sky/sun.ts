/** Where the city stands: Dijon. */
const LATITUDE = 47.32;
const LONGITUDE = 5.04;
const RADIANS = Math.PI / 180;
const MS_PER_DAY = 86_400_000;
/** 2000-01-01T12:00:00Z, from which astronomers count days. */
const J2000_MS = 946_728_000_000;

/** Upper limb on the horizon, refraction included. */
const SUNSET_DEGREES = -0.83;
/** About 30 lx on a clear evening, where a photocell for street lights switches. */
const PHOTOCELL_DEGREES = -2.5;

/** Height of the sun over Dijon's horizon in degrees, to 0.3: the low-precision formula of the Astronomical Almanac. */
export function sunElevation(wallMs: number): number {
  const { declination, hourAngle } = sunAt(wallMs);
  const latitude = LATITUDE * RADIANS;
  const sine =
    Math.sin(latitude) * Math.sin(declination) +
    Math.cos(latitude) * Math.cos(declination) * Math.cos(hourAngle);
  return Math.asin(sine) / RADIANS;
}

/** Hours since the sun's lowest point over Dijon, -12 … 12: the middle of the night is 0. */
export function hoursFromMidnight(wallMs: number): number {
  const hours = sunAt(wallMs).hourAngle / RADIANS / 15;
  return (((hours % 24) + 24) % 24) - 12;
}

/** In radians. */
function sunAt(wallMs: number): { readonly declination: number; readonly hourAngle: number } {
  const days = (wallMs - J2000_MS) / MS_PER_DAY;
  const anomaly = (357.528 + 0.9856003 * days) * RADIANS;
  const longitude = 280.46 + 0.9856474 * days + 1.915 * Math.sin(anomaly) + 0.02 * Math.sin(2 * anomaly);
  const obliquity = 23.439 * RADIANS;
  const ecliptic = longitude * RADIANS;
  const declination = Math.asin(Math.sin(obliquity) * Math.sin(ecliptic));
  const ascension = Math.atan2(Math.cos(obliquity) * Math.sin(ecliptic), Math.cos(ecliptic));
  const sidereal = (280.46062 + 360.98564737 * days + LONGITUDE) * RADIANS;
  return { declination, hourAngle: sidereal - ascension };
}

/** Between sunset and sunrise. */
export const isNight = (wallMs: number): boolean => sunElevation(wallMs) < SUNSET_DEGREES;

/** What a photocell on the cabinet's roof says under a clear sky. */
export const isDark = (wallMs: number): boolean => sunElevation(wallMs) < PHOTOCELL_DEGREES;
