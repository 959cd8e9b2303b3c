import { type Fields, InvalidField } from "../input-fields.ts";

/** What is wrong with a wire and the adapter before it. */
export interface WireFaults {
  /** The adapter hands back what it sends. */
  readonly echo: boolean;
  /** How often a bit on the wire turns, 0..0.1 for each bit. */
  readonly bitErrorRate: number;
  /** Random characters before each answer, 0..200. */
  readonly noiseBytes: number;
  /** How long the adapter holds received bytes back, 0..255 ms: 16 in a USB adapter of the FTDI kind as delivered. */
  readonly latencyMs: number;
}

export const SOUND_WIRE: WireFaults = { echo: false, bitErrorRate: 0, noiseBytes: 0, latencyMs: 0 };

/** Reads `echo`, `bitErrorsPerMillion`, `noiseBytes` and `latencyMs`; what is not named stays. @throws {InvalidField} */
export function parseWireFaults(fields: Fields, before: WireFaults): WireFaults {
  const bitErrors = fields.optionalWholeNumber("bitErrorsPerMillion", { min: 0, max: 100_000 });
  return {
    echo: fields.has("echo") ? parseYesNo(fields, "echo") : before.echo,
    bitErrorRate: bitErrors === undefined ? before.bitErrorRate : bitErrors / 1_000_000,
    noiseBytes: fields.optionalWholeNumber("noiseBytes", { min: 0, max: 200 }) ?? before.noiseBytes,
    latencyMs: fields.optionalWholeNumber("latencyMs", { min: 0, max: 255 }) ?? before.latencyMs,
  };
}

function parseYesNo(fields: Fields, name: string): boolean {
  const value = fields.raw(name);
  if (typeof value !== "boolean") throw new InvalidField(fields.pointerTo(name), "true or false");
  return value;
}
