import { randomBytes } from "node:crypto";
import type { RandomSource } from "./random.ts";

/** The operating system's source: fit for tokens, keys and incarnations. */
export const systemRandom: RandomSource = {
  next: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
  bytes: (length) => randomBytes(length),
};
