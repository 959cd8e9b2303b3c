import { Millis } from "../../domain/time.ts";

/** How a character looks on the wire. */
export interface CharacterFormat {
  /** Bits a second, 50 … 4,000,000. */
  readonly baud: number;
  readonly dataBits: 7 | 8;
  readonly parity: Parity;
  readonly stopBits: 1 | 2;
}

export const PARITIES = ["none", "even", "odd"] as const;
export type Parity = (typeof PARITIES)[number];

/** The start bit counts too: 11 bits for 8E1, 8O1 and 8N2, 10 for 8N1. */
export function characterTime({ baud, dataBits, parity, stopBits }: CharacterFormat): Millis {
  const bits = 1 + dataBits + (parity === "none" ? 0 : 1) + stopBits;
  return Millis((bits * 1_000) / baud);
}

/** `19200 8E1`. */
export function formatText({ baud, dataBits, parity, stopBits }: CharacterFormat): string {
  return `${baud} ${dataBits}${{ none: "N", even: "E", odd: "O" }[parity]}${stopBits}`;
}
