import type { Logger } from "pino";
import type { Clock } from "../../../domain/time.ts";
import type { ProcessIdentity } from "./process-table.ts";
import type { ServerAccount } from "./server-account.ts";
import type { ServerSettings } from "./server-settings.ts";

/** Where one embedded server stands and what it is made of; known before anything is started. */
export interface ServerPlace {
  /** Holds `data`, `password`, `server.log` and `owner.lock`. Written by us alone. */
  readonly home: string;
  /** PGDATA, belonging to `account`. */
  readonly dataFolder: string;
  readonly account: ServerAccount;
  /** Holds `bin`, `lib` and `share`. */
  readonly nativeFolder: string;
  readonly major: number;
  readonly settings: ServerSettings;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A postmaster that answers, started by us or found. */
export interface RunningServer extends ProcessIdentity {
  /** On 127.0.0.1. */
  readonly port: number;
}
