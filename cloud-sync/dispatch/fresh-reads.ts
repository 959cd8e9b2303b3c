import type { GatewayId, PointId } from "../../domain/ids.ts";
import { isBad } from "../../domain/quality.ts";
import { type RandomSource, randomHex } from "../../domain/random.ts";
import { type Clock, type Millis, Seconds, since, type Uptime } from "../../domain/time.ts";
import type { ReadFinding, ReadFrame, ReadReport } from "../../domain/wire/fresh-read.ts";
import type { Database } from "../store/database.ts";
import { appendAudit } from "../store/tables/center-audit.ts";
import type { Downlinks, GatewayLinks } from "./gateway-links.ts";

export interface FreshReadParts {
  readonly database: Database;
  readonly links: GatewayLinks;
  readonly downlinks: Downlinks;
  readonly clock: Clock;
  readonly random: RandomSource;
}

export interface AskedRead {
  readonly gatewayId: GatewayId;
  /** 1 … 200. */
  readonly pointIds: readonly PointId[];
  /** `operator/anna`. */
  readonly by: string;
}

/** What came of it. `offline`, `unsupported`, `busy`: nothing was asked. */
export type ReadEnd =
  | { readonly kind: "answered"; readonly findings: readonly ReadFinding[]; readonly took: Millis }
  | { readonly kind: "not-answered"; readonly took: Millis }
  | { readonly kind: "offline" | "unsupported" | "busy" };

/** A point as it was read on the bus a moment ago. */
export interface FreshFinding extends ReadFinding {
  /** At most: since it was asked. */
  readonly age: Millis;
}

/** So long an answer is waited for; one that comes later is not looked at. */
export const READ_PATIENCE = Seconds(3);
/** Reads that wait for their answers, of all gateways; one more is refused as `busy`. */
export const READS_MAX = 100;
/** A finding is known so long: past it the gateway's own telling has caught up. */
const KNOWN_FOR = Seconds(30);
const KNOWN_MAX = 20_000;

interface Waiting {
  readonly asked: AskedRead;
  readonly askedAt: Uptime;
  readonly settle: (end: ReadEnd) => void;
}

interface Known {
  readonly finding: ReadFinding;
  readonly askedAt: Uptime;
}

/**
 * Asks gateways how points stand on their buses now (K0, PROTOCOL §8): no ledger row, audit only. What was read lives in
 * RAM for 30 s, so that a preview can rest on it before the gateway tells the change by itself.
 */
export class FreshReads {
  readonly #parts: FreshReadParts;
  readonly #waiting = new Map<string, Waiting>();
  readonly #known = new Map<string, Known>();

  constructor(parts: FreshReadParts) {
    this.#parts = parts;
  }

  async read(asked: AskedRead): Promise<ReadEnd> {
    const { links, downlinks, random, clock } = this.#parts;
    const link = links.find(asked.gatewayId);
    if (link === undefined || link.state === "down" || !downlinks.isOpen(asked.gatewayId, link.session))
      return { kind: "offline" };
    if (!link.actions.includes("read")) return { kind: "unsupported" };
    if (this.#waiting.size >= READS_MAX) return { kind: "busy" };
    await this.#audit(asked);
    const readId = randomHex(random, 16);
    const frame: ReadFrame = {
      kind: "read",
      session: link.session,
      readId,
      pointIds: [...asked.pointIds],
      requester: asked.by,
      budgetMs: READ_PATIENCE,
    };
    const { promise, resolve } = Promise.withResolvers<ReadEnd>();
    const askedAt = clock.uptime();
    this.#waiting.set(readId, { asked, askedAt, settle: resolve });
    const cancel = clock.schedule(READ_PATIENCE, () =>
      resolve({ kind: "not-answered", took: since(askedAt, clock.uptime()) }),
    );
    if (!downlinks.send(asked.gatewayId, link.session, frame)) resolve({ kind: "offline" });
    try {
      return await promise;
    } finally {
      cancel();
      this.#waiting.delete(readId);
    }
  }

  /** The gateway's answer, in its current session. What nobody waits for any more is dropped. */
  take(gatewayId: GatewayId, { readId, points }: ReadReport): void {
    const waiting = this.#waiting.get(readId);
    if (waiting === undefined || waiting.asked.gatewayId !== gatewayId) return;
    const { asked, askedAt, settle } = waiting;
    const told = new Map(points.map((point) => [point.pointId, point]));
    const findings = asked.pointIds.map((pointId) => honest(told.get(pointId) ?? untold(pointId)));
    this.#remember(gatewayId, findings, askedAt);
    settle({ kind: "answered", findings, took: since(askedAt, this.#parts.clock.uptime()) });
  }

  /** The last usable finding, if it is not older than 30 s. */
  find(gatewayId: GatewayId, pointId: PointId): FreshFinding | undefined {
    const known = this.#known.get(`${gatewayId}/${pointId}`);
    if (known === undefined) return undefined;
    const age = since(known.askedAt, this.#parts.clock.uptime());
    return age > KNOWN_FOR ? undefined : { ...known.finding, age };
  }

  #remember(gatewayId: GatewayId, findings: readonly ReadFinding[], askedAt: Uptime): void {
    const now = this.#parts.clock.uptime();
    for (const [key, known] of this.#known) {
      if (since(known.askedAt, now) > KNOWN_FOR || this.#known.size > KNOWN_MAX) this.#known.delete(key);
    }
    for (const finding of findings) {
      if (!isBad(finding.quality)) this.#known.set(`${gatewayId}/${finding.pointId}`, { finding, askedAt });
    }
  }

  async #audit({ gatewayId, pointIds, by }: AskedRead): Promise<void> {
    const { database, clock } = this.#parts;
    const entry = { at: clock.now(), actor: by, action: "read", subject: gatewayId, detail: { pointIds } };
    await database.transaction((tx) => appendAudit(tx, entry));
  }
}

/** A bad value is to be ignored, so there is none. */
function honest(finding: ReadFinding): ReadFinding {
  if (isBad(finding.quality)) return { ...finding, value: null };
  return finding.value === null ? untold(finding.pointId) : finding;
}

function untold(pointId: string): ReadFinding {
  return { pointId, value: null, quality: "bad/waiting-for-initial-data", cause: "none" };
}
