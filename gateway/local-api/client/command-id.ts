import { CommandId } from "../../../domain/ids.ts";
import type { RandomSource } from "../../../domain/random.ts";
import type { Instant } from "../../../domain/time.ts";

const TIME_DIGITS = 12;

/** A UUIDv7 (RFC 9562 §5.7): 48 bits of Unix time in ms, version, 74 random bits with the variant. */
export function newCommandId(now: Instant, random: RandomSource): CommandId {
  const time = Math.max(0, Math.floor(now)).toString(16).padStart(TIME_DIGITS, "0").slice(-TIME_DIGITS);
  const chance = Buffer.from(random.bytes(10)).toString("hex");
  const variant = ((Number.parseInt(chance.slice(3, 4), 16) & 0x3) | 0x8).toString(16);
  return CommandId(
    `${time.slice(0, 8)}-${time.slice(8)}-7${chance.slice(0, 3)}-${variant}${chance.slice(4, 7)}-${chance.slice(7, 19)}`,
  );
}
