import { type KeyObject, sign } from "node:crypto";
import type { Logger } from "pino";
import { type GatewayId, Token } from "../../domain/ids.ts";
import { compareSessions, formatSession, parseSession, type SyncSession } from "../../domain/session-id.ts";
import type { Clock, Instant } from "../../domain/time.ts";
import { CODECS } from "../../domain/wire/batch.ts";
import type { Heartbeat } from "../../domain/wire/heartbeat.ts";
import { type Hello, type Welcome, welcomeSignedBytes } from "../../domain/wire/hello.ts";
import type { CenterEvents } from "../store/center-events.ts";
import type { Database, Transaction } from "../store/database.ts";
import { raiseAlarm } from "../store/tables/alarms.ts";
import { setLinkState, takeAllLinksDown, writeHeartbeat } from "../store/tables/links.ts";
import {
  activateSession,
  announcedActions,
  currentSession,
  findSession,
  type LockedLink,
  lockLink,
} from "../store/tables/sync-sessions.ts";
import { addTimeSample } from "../store/tables/time-samples.ts";
import type { DownlinkRegistry } from "./downlinks.ts";
import type { LiveLink, LiveLinks } from "./live-links.ts";
import { describeRival } from "./rival-session.ts";
import { type AnsweredHello, writeHello } from "./write-hello.ts";

export interface SyncRegisterParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly events: CenterEvents;
  readonly logger: Logger;
  /** `gen` of PROTOCOL §1. */
  readonly generation: number;
  readonly timeKey: KeyObject;
  readonly links: LiveLinks;
  readonly downlinks: DownlinkRegistry;
}

/** PROTOCOL §3: unacknowledged batches allowed at once. */
const CREDITS = 12;
/** Heartbeats of one incarnation become samples of its clock this far apart. */
const SAMPLE_EVERY_MS = 600_000;

/** Sync sessions: offers them, knows the current one of each gateway, fences the others. */
export class SyncRegister {
  readonly #parts: SyncRegisterParts;
  readonly #lastSample = new Map<GatewayId, { readonly session: string; readonly uptimeMs: number }>();

  constructor(parts: SyncRegisterParts) {
    this.#parts = parts;
    const { downlinks, links } = parts;
    downlinks.watch((gatewayId, session, downlink) => links.noteDownlink(gatewayId, session, downlink));
  }

  /** To be called once before the first request. */
  async recover(): Promise<void> {
    this.#parts.links.forgetAll();
    await takeAllLinksDown(this.#parts.database, this.#parts.clock.now());
  }

  /**
   * Offers a session. It is current only when the gateway uses it, so a HELLO that was held up on the way can not
   * displace a live one. `unknown`: no such gateway. `generation-behind`: see the alarm.
   */
  async hello(gatewayId: GatewayId, hello: Hello): Promise<Welcome | "unknown" | "generation-behind"> {
    const { clock, database, generation, logger, timeKey } = this.#parts;
    const at = clock.now();
    const answered = await database.transaction(
      async (tx): Promise<AnsweredHello | "unknown" | "generation-behind"> => {
        const link = await lockLink(tx, gatewayId);
        return link === undefined || link.revoked
          ? "unknown"
          : writeHello(tx, { link, hello, generation, at });
      },
    );
    if (typeof answered === "string") {
      if (answered === "generation-behind")
        logger.error({ gatewayId, generation }, "a gateway has met a later center");
      return answered;
    }
    const { session, cursors, catalogueHash } = answered;
    logger.info(
      { gatewayId, session: formatSession(session), software: hello.software },
      "offered a sync session",
    );
    const centerTimeMs = clock.now();
    const timeSignature = sign(null, welcomeSignedBytes(hello.nonce, centerTimeMs), timeKey).toString(
      "base64",
    );
    const codecs = CODECS.filter((codec) => hello.capabilities.codecs.includes(codec));
    return {
      session: formatSession(session),
      cursors: cursors.map(({ incarnation, lane, ranges }) => ({ incarnation, lane, ranges: [...ranges] })),
      credits: CREDITS,
      centerTimeMs,
      timeSignature,
      catalogueHash,
      codecs,
    };
  }

  /** Every request of a session passes here first: its first use makes an offered session current. */
  async enter(gatewayId: GatewayId, text: string): Promise<"current" | "fence"> {
    const { clock, database, links } = this.#parts;
    if (links.find(gatewayId)?.session === text) {
      const changed = links.heard(gatewayId, text);
      if (changed !== undefined) await this.#setState(gatewayId, changed);
      return "current";
    }
    const session = sessionOf(text);
    if (session === undefined) return "fence";
    const entered = await database.transaction(async (tx) => {
      const link = await lockLink(tx, gatewayId);
      if (link === undefined || link.revoked) return undefined;
      if (!(await this.#activate(tx, link, session))) return undefined;
      return { gatewayNo: link.gateway_no, actions: await announcedActions(tx, link.gateway_no) };
    });
    if (entered === undefined) return "fence";
    // Two requests of one new session may come together: only the first activates it.
    if (links.find(gatewayId)?.session !== text) this.#announce(gatewayId, { ...entered, session: text });
    this.#lastSample.set(gatewayId, { session: text, uptimeMs: Number.NEGATIVE_INFINITY });
    this.#parts.logger.info({ gatewayId, session: text, at: clock.now() }, "a sync session is current");
    return "current";
  }

  async heartbeat(gatewayId: GatewayId, heartbeat: Heartbeat): Promise<"taken" | "fence"> {
    const { clock, database, events, links } = this.#parts;
    const link = links.find(gatewayId);
    const session = sessionOf(heartbeat.session);
    if (link?.session !== heartbeat.session || session === undefined) return "fence";
    const at = clock.now();
    const written = await writeHeartbeat(database, { gatewayNo: link.gatewayNo, session, heartbeat, at });
    if (!written) return "fence";
    await this.#sample(link, heartbeat, at);
    links.beat(gatewayId, heartbeat.session, heartbeat, Token(heartbeat.token));
    events.tell("heartbeat-arrived", { gatewayId });
    return "taken";
  }

  /** Says of each link what its silence means; called every second by the watch. */
  async judgeLinks(): Promise<void> {
    for (const link of this.#parts.links.judge()) {
      await this.#setState(link.gatewayId, link.state);
      if (link.state === "down") this.#parts.downlinks.close(link.gatewayId, "no heartbeat for 15 s");
    }
  }

  async #activate(tx: Transaction, link: LockedLink, session: SyncSession): Promise<boolean> {
    const { clock, generation } = this.#parts;
    const current = currentSession(link);
    const order = current === undefined ? 1 : compareSessions(session, current);
    const offered = await findSession(tx, link.gateway_no, session);
    if (offered === undefined || order < 0 || session.generation !== generation) {
      const rival =
        offered !== undefined && current !== undefined
          ? await describeRival(tx, link.gateway_no, { offered, current })
          : null;
      if (rival !== null) {
        const detail = `${rival}: find the second gateway with this certificate, or revoke it and enrol one of the two anew`;
        await raiseAlarm(tx, {
          gatewayNo: link.gateway_no,
          name: "two-gateways-one-identity",
          subject: "sync session",
          detail,
          at: clock.now(),
        });
      }
      return false;
    }
    await activateSession(tx, link.gateway_no, session, clock.now());
    return true;
  }

  #announce(
    gatewayId: GatewayId,
    { gatewayNo, session, actions }: Pick<LiveLink, "gatewayNo" | "session" | "actions">,
  ): void {
    const { downlinks, events, links } = this.#parts;
    downlinks.close(gatewayId, "a newer sync session is current");
    links.activate(gatewayId, gatewayNo, session, actions);
    events.tell("session-activated", { gatewayId, session });
    events.tell("link-changed", { gatewayId, state: "up" });
  }

  async #setState(gatewayId: GatewayId, state: "up" | "degraded" | "down"): Promise<void> {
    const { clock, database, events, links, logger } = this.#parts;
    const link = links.find(gatewayId);
    if (link === undefined) return;
    await setLinkState(database, { gatewayNo: link.gatewayNo, state, at: clock.now() });
    logger.info({ gatewayId, state }, "a gateway's link changed");
    events.tell("link-changed", { gatewayId, state });
  }

  async #sample({ gatewayId, gatewayNo }: LiveLink, heartbeat: Heartbeat, at: Instant): Promise<void> {
    const last = this.#lastSample.get(gatewayId);
    const due = last?.session !== heartbeat.session || heartbeat.uptimeMs - last.uptimeMs >= SAMPLE_EVERY_MS;
    if (!due) return;
    const { database } = this.#parts;
    const session = sessionOf(heartbeat.session);
    const offered = session === undefined ? undefined : await findSession(database, gatewayNo, session);
    if (offered === undefined) return;
    const offsetMs = at - heartbeat.uptimeMs;
    await addTimeSample(database, offered.incarnation_no, { uptimeMs: heartbeat.uptimeMs, offsetMs });
    this.#lastSample.set(gatewayId, { session: heartbeat.session, uptimeMs: heartbeat.uptimeMs });
  }
}

function sessionOf(text: string): SyncSession | undefined {
  try {
    return parseSession(text);
  } catch {
    return undefined;
  }
}
