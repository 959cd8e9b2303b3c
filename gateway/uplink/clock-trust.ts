import { type KeyObject, verify } from "node:crypto";
import type { Clock, Instant } from "../../domain/time.ts";
import { type Welcome, welcomeSignedBytes } from "../../domain/wire/hello.ts";
import type { TimeQuality } from "../../domain/wire/points-block.ts";

/** This machine's clock may differ so far from the center's signed time and still count as synced. */
const SYNCED_WITHIN_MS = 2_000;

/** How far this machine's wall clock may be trusted (PROTOCOL §6). Order and deadlines never rest on it. */
export class ClockTrust {
  readonly #clock: Clock;
  readonly #floor: Instant;
  #synced: "synced" | "unknown" = "unknown";

  /** `floor`: the latest time known to be true when the gateway started; a clock below it was never set. */
  constructor(clock: Clock, floor: Instant) {
    this.#clock = clock;
    this.#floor = floor;
  }

  quality(): TimeQuality {
    if (this.#clock.now() < this.#floor) return "unset";
    return this.#synced === "synced" ? "synced" : "holdover";
  }

  /** Compares with the center's time, if its signature over our nonce is right. Returns that time, or `undefined`. */
  judge(welcome: Welcome, nonce: string, timeKey: KeyObject): Instant | undefined {
    const signed = welcomeSignedBytes(nonce, welcome.centerTimeMs);
    if (!verify(null, signed, timeKey, Buffer.from(welcome.timeSignature, "base64"))) return undefined;
    const apart = Math.abs(welcome.centerTimeMs - this.#clock.now());
    this.#synced = apart <= SYNCED_WITHIN_MS ? "synced" : "unknown";
    return welcome.centerTimeMs as Instant;
  }
}
