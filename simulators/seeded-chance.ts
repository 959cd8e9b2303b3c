/** A repeatable source of chance: uniform in [0, 1). The same seed gives the same lamps. */
export type Chance = () => number;

/** xorshift32; written here so that the simulators share nothing with the product they witness. */
export function seededChance(seed: number): Chance {
  // Zero is the one state that xorshift never leaves.
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 4_294_967_296;
  };
}

/** A seed for part `index` of a whole that has `seed`, so that adding a part does not move the others. */
export function seedOfPart(seed: number, index: number): number {
  return Math.imul(seed + 1, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35);
}

/** A seed for what has this name in a world with `seed`: it hangs on no order and no number of things. */
export function seedOfName(seed: number, name: string): number {
  // FNV-1a, 32 bits.
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return seed ^ hash;
}
