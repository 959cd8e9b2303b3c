import { Token } from "../../domain/ids.ts";
import { type RandomSource, randomHex } from "../../domain/random.ts";
import type { Clock, Millis, Uptime } from "../../domain/time.ts";

/** More than a command's longest budget of heartbeats; the oldest is forgotten first. */
const TOKENS_MAX = 64;
const TOKEN_BYTES = 16;
/** CLOCK_MONOTONIC stands still while the machine sleeps; a gap above this to the boot clock voids all (PROTOCOL §6). */
const SUSPEND_TOLERANCE_MS = 1_000;

/** The tokens of the current sync session, in RAM only: a restart or a new session voids them all. */
export class TokenBook {
  readonly #clock: Clock;
  readonly #random: RandomSource;
  readonly #sinceBoot: () => Millis;
  readonly #mintedAt = new Map<string, Uptime>();
  #session: string | undefined;
  #suspendedMs = 0;

  /** `sinceBoot` counts while the machine sleeps (`os.uptime`). */
  constructor(clock: Clock, random: RandomSource, sinceBoot: () => Millis) {
    this.#clock = clock;
    this.#random = random;
    this.#sinceBoot = sinceBoot;
  }

  /** Forgets all of the session before. */
  open(session: string): void {
    this.close();
    this.#session = session;
    this.#suspendedMs = this.#suspended();
  }

  close(): void {
    this.#mintedAt.clear();
    this.#session = undefined;
  }

  mint(): Token {
    this.#voidIfSuspended();
    const token = Token(randomHex(this.#random, TOKEN_BYTES));
    this.#mintedAt.set(token, this.#clock.uptime());
    const oldest = this.#mintedAt.keys().next();
    if (this.#mintedAt.size > TOKENS_MAX && oldest.done !== true) this.#mintedAt.delete(oldest.value);
    return token;
  }

  get session(): string | undefined {
    return this.#session;
  }

  mintedAt(token: string, session: string): Uptime | undefined {
    if (session !== this.#session) return undefined;
    this.#voidIfSuspended();
    return this.#mintedAt.get(token);
  }

  /** Tokens minted after the sleep count again. */
  #voidIfSuspended(): void {
    const suspendedMs = this.#suspended();
    if (Math.abs(suspendedMs - this.#suspendedMs) <= SUSPEND_TOLERANCE_MS) return;
    this.#mintedAt.clear();
    this.#suspendedMs = suspendedMs;
  }

  #suspended(): number {
    return this.#sinceBoot() - this.#clock.uptime();
  }
}
