import { CommandId } from "../../domain/ids.ts";
import type { RandomSource } from "../../domain/random.ts";
import type { Instant } from "../../domain/time.ts";

/** A UUIDv7 (RFC 9562 §5.7): 48 bits of Unix time in ms, the version, 74 random bits around the variant. */
export function newCommandId(now: Instant, random: RandomSource): CommandId {
  const bytes = Buffer.from(random.bytes(16));
  bytes.writeUIntBE(Math.max(0, Math.floor(now)), 0, 6);
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = bytes.toString("hex");
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
  return CommandId(parts.join("-"));
}
