import type { Millis } from "../../domain/time.ts";

/** What every command takes. */
export interface GlobalOptions {
  readonly json?: true;
  readonly dataFolder?: string;
  readonly site?: string;
  /** For an answer of the gateway. */
  readonly timeout: Millis;
}
