import type { Server } from "node:https";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { GatewayId } from "../../domain/ids.ts";
import { BATCH_CONTENT_TYPE } from "../../domain/wire/batch.ts";
import { parseEnrolmentRequest } from "../../domain/wire/enrolment.ts";
import { parseReadReport } from "../../domain/wire/fresh-read.ts";
import { parseHeartbeat } from "../../domain/wire/heartbeat.ts";
import { parseHello } from "../../domain/wire/hello.ts";
import type { FreshReads } from "../dispatch/fresh-reads.ts";
import type { Ingest, IngestParts } from "../ingest/ingest.ts";
import { type CatalogueParts, takeCatalogue } from "../ingest/take-catalogue.ts";
import { takeSnapshot } from "../ingest/take-snapshot.ts";
import type { DownlinkRegistry } from "../registry/downlinks.ts";
import type { Enrolment } from "../registry/enrolment.ts";
import type { SyncRegister } from "../registry/sync-register.ts";
import { ClaimAttempts } from "./gateway-claim-attempts.ts";
import { streamDownlink } from "./gateway-downlink-route.ts";
import { GatewayProblem } from "./gateway-problem.ts";
import { RequestIdentities } from "./gateway-request-identities.ts";

export type GatewayApp = FastifyInstance<Server>;

/** What the gateways' routes stand on. */
export interface GatewayRouteParts extends IngestParts, CatalogueParts {
  readonly ingest: Ingest;
  readonly register: SyncRegister;
  readonly enrolment: Enrolment;
  readonly downlinks: DownlinkRegistry;
  readonly reads: Pick<FreshReads, "take">;
}

const ENROL_MAX_BYTES = 16 * 1024;
const HELLO_MAX_BYTES = 8 * 1024 * 1024;
/** 1 MiB of body and its header, even where compression makes it longer. */
const BATCH_MAX_BYTES = Math.floor(1.2 * 1024 * 1024);
const HEARTBEAT_MAX_BYTES = 2 * 1024 * 1024;
/** 200 points, each with a text of at most 4 KiB. */
const READ_MAX_BYTES = 1024 * 1024;
/** Some 155,000 points of the largest gateway. */
const CATALOGUE_MAX_BYTES = 64 * 1024 * 1024;

export function addGatewayRoutes(app: GatewayApp, parts: GatewayRouteParts): void {
  app.addContentTypeParser(BATCH_CONTENT_TYPE, { parseAs: "buffer" }, (_request, body, done) =>
    done(null, body),
  );
  addEnrolment(app, parts);
  const identities = new RequestIdentities(parts.database);
  addSessionRoutes(app, parts, identities);
  addRecordRoutes(app, parts, identities);
}

function addEnrolment(app: GatewayApp, parts: GatewayRouteParts): void {
  const attempts = new ClaimAttempts(parts.clock);
  app.post("/enrol/v1", { bodyLimit: ENROL_MAX_BYTES }, async (request) => {
    if (!attempts.allow(request.ip))
      throw new GatewayProblem("too-many", "too many claims from this address: wait a minute");
    const answer = await parts.enrolment.redeem(parseEnrolmentRequest(request.body), request.ip);
    if (answer === "refused") {
      throw new GatewayProblem(
        "claim-refused",
        "the claim is unknown, expired or used: have the center make a new one",
      );
    }
    attempts.succeeded(request.ip);
    return answer;
  });
}

function addSessionRoutes(app: GatewayApp, parts: GatewayRouteParts, identities: RequestIdentities): void {
  const { known, onRequest } = identities;
  const { register } = parts;
  app.post("/sync/v1/hello", { bodyLimit: HELLO_MAX_BYTES, onRequest }, async (request) => {
    const welcome = await register.hello(known(request), parseHello(request.body));
    if (welcome === "unknown")
      throw new GatewayProblem("authentication", "this gateway is revoked: enrol it anew");
    if (welcome === "generation-behind") {
      throw new GatewayProblem(
        "generation-behind",
        "this center is older than one the gateway has met: see its alarms",
      );
    }
    return welcome;
  });
  app.post("/sync/v1/heartbeat", { bodyLimit: HEARTBEAT_MAX_BYTES, onRequest }, async (request) => {
    const heartbeat = parseHeartbeat(request.body);
    const gatewayId = known(request);
    await enter(register, gatewayId, heartbeat.session);
    if ((await register.heartbeat(gatewayId, heartbeat)) === "fence") throw fenced(heartbeat.session);
    return { centerTimeMs: parts.clock.now() };
  });
  app.post("/sync/v1/read", { bodyLimit: READ_MAX_BYTES, onRequest }, async (request) => {
    const report = parseReadReport(request.body);
    const gatewayId = known(request);
    await enter(register, gatewayId, report.session);
    parts.reads.take(gatewayId, report);
    return {};
  });
  app.get("/sync/v1/downlink", { onRequest }, async (request, reply) => {
    const gatewayId = known(request);
    const session = sessionOfQuery(request);
    await enter(register, gatewayId, session);
    reply.hijack();
    streamDownlink(reply.raw, { gatewayId, session, registry: parts.downlinks, clock: parts.clock });
  });
}

function addRecordRoutes(app: GatewayApp, parts: GatewayRouteParts, identities: RequestIdentities): void {
  const { known, onRequest } = identities;
  const { register, admission } = parts;
  app.post("/sync/v1/batch", { bodyLimit: BATCH_MAX_BYTES, onRequest }, async (request) => {
    const bytes = binaryBody(request);
    return parts.ingest.batch(known(request), bytes);
  });
  app.post("/sync/v1/snapshot", { bodyLimit: BATCH_MAX_BYTES, onRequest }, async (request) => {
    const gatewayId = known(request);
    const bytes = binaryBody(request);
    const answer = await admission.state(() => takeSnapshot(parts, gatewayId, bytes));
    if (!("refusal" in answer)) return answer;
    if (answer.refusal === "fence") throw new GatewayProblem("fence", answer.detail);
    if (answer.refusal === "codec" || answer.refusal === "size")
      throw new GatewayProblem("bad-request", answer.detail);
    throw new GatewayProblem("rehello", answer.detail);
  });
  app.post("/sync/v1/catalogue", { bodyLimit: CATALOGUE_MAX_BYTES, onRequest }, async (request) => {
    const gatewayId = known(request);
    const session = textField(request.body, "session");
    await enter(register, gatewayId, session);
    const taken = await admission.state(() => takeCatalogue(parts, gatewayId, request.body));
    if (taken === "fence") throw fenced(session);
    return {};
  });
}

async function enter(register: SyncRegister, gatewayId: GatewayId, session: string): Promise<void> {
  if ((await register.enter(gatewayId, session)) === "fence") throw fenced(session);
}

function fenced(session: string): GatewayProblem {
  return new GatewayProblem("fence", `sync session ${session} is not the current one: say HELLO`);
}

function binaryBody(request: FastifyRequest): Buffer {
  if (Buffer.isBuffer(request.body)) return request.body;
  throw new GatewayProblem("bad-request", `send ${BATCH_CONTENT_TYPE}`);
}

function sessionOfQuery(request: FastifyRequest): string {
  return textField(request.query, "session");
}

function textField(data: unknown, name: string): string {
  const value = typeof data === "object" && data !== null ? Reflect.get(data, name) : undefined;
  if (typeof value === "string") return value;
  throw new GatewayProblem("bad-request", `${name} at /${name} is missing`);
}
