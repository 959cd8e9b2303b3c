/** The only source of chance, so that a run can be repeated from its seed. */
export interface RandomSource {
  /** Uniform in [0, 1). */
  next(): number;
  /** `length` random bytes. Only the system's source is fit for tokens and keys. */
  bytes(length: number): Uint8Array;
}

/** `length` random bytes as lower-case hexadecimal digits. */
export function randomHex(random: RandomSource, length: number): string {
  return Buffer.from(random.bytes(length)).toString("hex");
}

/** A repeatable source for tests and placement (mulberry32); never for secrets. */
export function seededRandom(seed: number): RandomSource {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return { next, bytes: (length) => Uint8Array.from({ length }, () => Math.floor(next() * 256)) };
}
