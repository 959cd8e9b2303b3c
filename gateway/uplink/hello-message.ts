import { createHash } from "node:crypto";
import { LANES } from "../../domain/lane.ts";
import { type RandomSource, randomHex } from "../../domain/random.ts";
import { type Clock, since } from "../../domain/time.ts";
import { CODECS } from "../../domain/wire/batch.ts";
import type { Hello } from "../../domain/wire/hello.ts";
import type { TimeQuality } from "../../domain/wire/points-block.ts";
import { WIRE_SCHEMA_TEXT } from "../../domain/wire/schema-version.ts";
import type { Store } from "../store/store.ts";

/** The newest openings of the store that HELLO tells; older ones the center has long since seen. */
const LINEAGE_MAX = 1_000;

/** HELLO as the store stands now. */
export function helloMessage(
  store: Store,
  context: {
    readonly clock: Clock;
    readonly random: RandomSource;
    readonly software: string;
    readonly catalogueHash: string;
    readonly timeQuality: TimeQuality;
  },
): Hello {
  const { clock, random } = context;
  return {
    schema: WIRE_SCHEMA_TEXT,
    software: context.software,
    incarnation: store.incarnation,
    lineage: store.lineage.slice(-LINEAGE_MAX),
    lanes: store.sync.heads().map((head) => ({ ...head })),
    acknowledgedDigest: acknowledgedDigest(store),
    highestSession: store.sync.highestSession(),
    lastSafeTimeMs: store.sync.safeTime(),
    nowMs: clock.now(),
    uptimeMs: since(store.openedAt, clock.uptime()),
    timeQuality: context.timeQuality,
    capabilities: { commands: ["write", "select", "operate", "read"], codecs: [...CODECS] },
    backlog: store.sync.backlog(),
    disk: { ...store.sync.disk() },
    nonce: randomHex(random, 16),
    catalogueHash: context.catalogueHash,
  };
}

function acknowledgedDigest(store: Store): string {
  const hash = createHash("sha256");
  for (const { incarnation } of store.lineage.slice(-LINEAGE_MAX)) {
    for (const lane of LANES) {
      const ranges = store.sync.acknowledged(incarnation as Store["incarnation"], lane);
      if (ranges.length > 0) hash.update(`${incarnation}/${lane}:${JSON.stringify(ranges)};`);
    }
  }
  return hash.digest("hex");
}
