import { z } from "zod";
import { Seconds } from "../time.ts";
import { parseMessage } from "./parse-json.ts";
import { TIME_QUALITIES } from "./points-block.ts";

/** Each side tells its life this often; after three missed the connection is taken for dead (PROTOCOL §2). */
export const HEARTBEAT_INTERVAL = Seconds(5);
export const HEARTBEATS_MISSED_MAX = 3;
/**
 * One missed and a half: something is slow. Until then an age that the center counts grows without anything being wrong,
 * for what confirms a value comes with the heartbeats: by so much a value may be older there than its `maxAge` allows.
 */
export const HEARTBEAT_LATE = Seconds(8);

const sequence = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

const heartbeat = z.looseObject({
  session: z.string().max(31),
  /** Minted by the gateway for this heartbeat; commands carry the newest the center has. */
  token: z.string().regex(/^[0-9a-f]{32}$/),
  /** Ms since the store opened. */
  uptimeMs: z.number(),
  nowMs: z.number(),
  timeQuality: z.enum(TIME_QUALITIES),
  heads: z.object({ A: sequence, B: sequence, C: sequence, D: sequence }),
  /** Per poll sweep of the catalogue: how long ago it was last complete, ms. A sweep never complete is left out. */
  sweeps: z.array(z.tuple([z.number().int().min(1), z.number().min(0)])).max(100_000),
  backlog: z.object({ A: sequence, B: sequence, C: sequence, D: sequence }),
});
/** Gateway → center, `POST /sync/v1/heartbeat`. */
export type Heartbeat = z.infer<typeof heartbeat>;

/** @throws {WireError} with the pointer of the first thing wrong. */
export function parseHeartbeat(data: unknown): Heartbeat {
  return parseMessage("HEARTBEAT", heartbeat, data);
}
