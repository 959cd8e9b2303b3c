import { pino } from "pino";
import { AccessTokens } from "../../cloud-sync/access/access-tokens.ts";
import { AlarmService } from "../../cloud-sync/alarms/alarm-service.ts";
import { FreshReads } from "../../cloud-sync/dispatch/fresh-reads.ts";
import { CenterView } from "../../cloud-sync/http/operators/center-view.ts";
import { EventHub } from "../../cloud-sync/http/operators/event-hub.ts";
import { openOperatorListener } from "../../cloud-sync/http/operators/operator-listener.ts";
import { CertificateAuthority } from "../../cloud-sync/registry/certificate-authority.ts";
import { DownlinkRegistry } from "../../cloud-sync/registry/downlinks.ts";
import { Enrolment } from "../../cloud-sync/registry/enrolment.ts";
import { LiveLinks } from "../../cloud-sync/registry/live-links.ts";
import { PointBook } from "../../cloud-sync/store/points/point-book.ts";
import type { AccessRole } from "../../cloud-sync/store/tables/access-tokens.ts";
import { systemClock } from "../../domain/system-clock.ts";
import { systemRandom } from "../../domain/system-random.ts";
import { openTestDispatch } from "./dispatch-for-tests.ts";

export interface OperatorContext {
  testdir(): string;
  teardown(action: () => Promise<void>): void;
}

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown> & {
    readonly error?: { code: string; message: string; pointer?: string };
  };
}

/** The operators' interface on a real socket and database; the link is moved by hand, nothing is dispatched. */
export async function openTestOperators(t: OperatorContext) {
  const dispatch = await openTestDispatch(t);
  const { database, clock, events, ledger } = dispatch;
  const logger = pino({ level: "silent" });
  const links = new LiveLinks(clock);
  const tokens = new AccessTokens({ database, clock: systemClock, random: systemRandom });
  const { link } = dispatch;
  const reads = new FreshReads({ database, links: link, downlinks: link, clock, random: systemRandom });
  const view = new CenterView(database, { links, book: new PointBook(database, clock), clock, reads });
  const hub = new EventHub({ events, view, reader: ledger, clock: systemClock, logger });
  const alarms = new AlarmService({ database, events, clock });
  const authority = await CertificateAuthority.open(t.testdir(), systemClock);
  const keys = { commandKey: "", timeKey: "" };
  const enrolment = new Enrolment({ database, authority, clock, downlinks: new DownlinkRegistry(), ...keys });
  const watched = { database, events, links, view, hub };
  const base = {
    ...watched,
    enrolment,
    tokens,
    logger,
    commands: dispatch.service,
    reader: ledger,
    reads,
    alarms,
  };
  const listener = await openOperatorListener(
    { ...base, clock: systemClock, gatewaysUrl: "https://127.0.0.1:1" },
    { host: "127.0.0.1", port: 0, tls: null },
  );
  const stop = new AbortController();
  const running = hub.run(stop.signal);
  t.teardown(async () => {
    stop.abort();
    await running;
    await listener[Symbol.asyncDispose]();
  });
  const url = `http://127.0.0.1:${listener.port}`;
  const tokenOf = async (role: AccessRole): Promise<string> => {
    const token = await tokens.create({ name: `test-${role}`, role, expiresAt: null }, "center");
    if (token === undefined) throw new Error("name taken");
    return token;
  };
  const held = {
    viewer: await tokenOf("viewer"),
    operator: await tokenOf("operator"),
    admin: await tokenOf("admin"),
  };
  const ask = async (
    method: string,
    path: string,
    more: {
      readonly role?: AccessRole;
      readonly token?: string;
      readonly body?: unknown;
      readonly raw?: string;
    } = {},
  ): Promise<Answer> => {
    const token = more.token ?? held[more.role ?? "admin"];
    const text = more.raw ?? (more.body === undefined ? undefined : JSON.stringify(more.body));
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
        ...(text === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(text === undefined ? {} : { body: text }),
    });
    return { status: response.status, body: JSON.parse(await response.text()) };
  };
  return { ...dispatch, links, reads, tokens, hub, listener, url, held, ask };
}
