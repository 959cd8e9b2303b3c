import type { Logger } from "pino";
import type { PointNumber } from "../../domain/ids.ts";
import type { RandomSource } from "../../domain/random.ts";
import type { Clock, Millis, Uptime } from "../../domain/time.ts";
import type { Catalogue } from "../../domain/wire/catalogue.ts";
import type { CommandFrame } from "../../domain/wire/downlink.ts";
import type { ReadFinding, ReadFrame } from "../../domain/wire/fresh-read.ts";
import type { Welcome } from "../../domain/wire/hello.ts";
import type { TimeQuality } from "../../domain/wire/points-block.ts";
import type { Store } from "../store/store.ts";
import type { CenterTransport } from "./center-transport.ts";
import type { TokenBook } from "./token-book.ts";

/** In which order the center is told current states. */
export interface TellingOrder {
  /** Lower is told earlier. */
  rank(point: PointNumber): number;
  /** Polled points of the control state; right after a start they are told before all else. */
  readonly control: readonly PointNumber[];
}

/** What the uplink stands on; `gateway.ts` joins it to the loops that have it. */
export interface UplinkParts {
  readonly store: Store;
  readonly transport: CenterTransport;
  readonly tokens: TokenBook;
  /** The content is made when it is told. */
  readonly catalogue: { readonly content: () => Catalogue; readonly hash: string };
  /** When each poll sweep was last complete; those that never were are left out. */
  readonly sweeps: () => Iterable<readonly [sweep: number, at: Uptime]>;
  readonly order: TellingOrder;
  readonly onCommand: (frame: CommandFrame) => void;
  /** Never rejects. */
  readonly onRead: (frame: ReadFrame, signal: AbortSignal) => Promise<readonly ReadFinding[]>;
  /** Told WELCOME before anything else happens: the clock keeper checks its signed time. */
  readonly onWelcome: (welcome: Welcome, nonce: string) => void;
  readonly timeQuality: () => TimeQuality;
  readonly software: string;
  readonly reconnect: { readonly min: Millis; readonly max: Millis };
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly logger: Logger;
}
