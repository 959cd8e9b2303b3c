import { createHash, randomBytes, webcrypto } from "node:crypto";
import "reflect-metadata";
import { readdirSync, readFileSync } from "node:fs";
import { Agent } from "node:https";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";
import axios, { type AxiosInstance, type AxiosResponse } from "axios";
import { pino } from "pino";
import { FreshReads } from "../../cloud-sync/dispatch/fresh-reads.ts";
import { openGatewayListener } from "../../cloud-sync/http/gateway-listener.ts";
import { HistoryAdmission } from "../../cloud-sync/ingest/history-admission.ts";
import { Ingest } from "../../cloud-sync/ingest/ingest.ts";
import { PostgresIngestLedger } from "../../cloud-sync/ingest/postgres-ingest-ledger.ts";
import { CertificateAuthority } from "../../cloud-sync/registry/certificate-authority.ts";
import { DownlinkRegistry } from "../../cloud-sync/registry/downlinks.ts";
import { Enrolment } from "../../cloud-sync/registry/enrolment.ts";
import { LiveLinks } from "../../cloud-sync/registry/live-links.ts";
import { openCommandKey, openTimeKey } from "../../cloud-sync/registry/signing-keys.ts";
import { SyncRegister } from "../../cloud-sync/registry/sync-register.ts";
import { InProcessCenterEvents } from "../../cloud-sync/store/center-events.ts";
import { openCenterStore } from "../../cloud-sync/store/center-store.ts";
import type { Database } from "../../cloud-sync/store/database.ts";
import { PointBook } from "../../cloud-sync/store/points/point-book.ts";
import type { CommandEvidence, VerdictSink } from "../../cloud-sync/store/verdict-sink.ts";
import { GatewayId, IncarnationId, PointNumber } from "../../domain/ids.ts";
import type { Lane } from "../../domain/lane.ts";
import type { StoredReading } from "../../domain/reading.ts";
import { systemClock } from "../../domain/system-clock.ts";
import { systemRandom } from "../../domain/system-random.ts";
import { type Clock, Instant, Millis } from "../../domain/time.ts";
import { BATCH_CONTENT_TYPE, encodeBatch, encodeSnapshotPart } from "../../domain/wire/batch.ts";
import { type Catalogue, catalogueHash } from "../../domain/wire/catalogue.ts";
import { type EnrolmentAnswer, parseClaim } from "../../domain/wire/enrolment.ts";
import { encodeEntry } from "../../domain/wire/entry.ts";
import type { Hello, LineageEntry, Welcome } from "../../domain/wire/hello.ts";
import { encodePointsBlock } from "../../domain/wire/points-block.ts";
import { type DatabaseTemplate, openTestDatabase } from "./postgres-for-tests.ts";

const quiet = pino({ level: "silent" });
const EC = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

const MIGRATIONS = join(import.meta.dirname, "../../cloud-sync/store/migrations");
/** Migrated once a server: a test's database is a copy of it. */
export const MIGRATED: DatabaseTemplate = {
  key: readdirSync(MIGRATIONS)
    .map((name) => readFileSync(join(MIGRATIONS, name), "utf8"))
    .join(),
  async prepare(connectionString) {
    const store = await openCenterStore({ connectionString, logger: quiet, clock: systemClock });
    await store[Symbol.asyncDispose]();
  },
};

export interface TestContext {
  testdir(): string;
  teardown(action: () => Promise<void>): void;
}

/** The center's half of the sync, composed as `center.ts` does, on a database of its own. */
export async function openTestCenter(
  t: TestContext,
  options: { readonly clock?: Clock; readonly generation?: number; readonly verdicts?: VerdictSink } = {},
) {
  const clock = options.clock ?? systemClock;
  const verdicts: CommandEvidence[] = [];
  const connectionString = await openTestDatabase(t, { template: MIGRATED });
  const folder = t.testdir();
  const database = await openCenterStore({ connectionString, logger: quiet, clock: systemClock });
  const authority = await CertificateAuthority.open(folder, clock);
  const [commandKey, timeKey] = [await openCommandKey(folder), await openTimeKey(folder)];
  const events = new InProcessCenterEvents();
  const links = new LiveLinks(clock);
  const downlinks = new DownlinkRegistry();
  const register = new SyncRegister({
    database,
    clock,
    events,
    logger: quiet,
    generation: options.generation ?? 1,
    timeKey: timeKey.privateKey,
    links,
    downlinks,
  });
  await register.recover();
  const sink = options.verdicts ?? { take: async (_tx, told) => void verdicts.push(...told) };
  const book = new PointBook(database, clock);
  const ledger = new PostgresIngestLedger(database, sink, book);
  const enrolment = new Enrolment({
    database,
    authority,
    clock,
    commandKey: commandKey.publicKey,
    timeKey: timeKey.publicKey,
    downlinks,
  });
  const admission = new HistoryAdmission(clock);
  const base = { ledger, sessions: register, admission, clock, events, logger: quiet };
  const ingest = new Ingest(base);
  const reads = new FreshReads({ database, links, downlinks, clock, random: systemRandom });
  const parts = { ...base, database, ingest, register, enrolment, downlinks, reads, authority };
  const listener = await openGatewayListener(parts, { host: "127.0.0.1", port: 0, names: [] });
  t.teardown(async () => {
    await listener[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });
  const url = `https://127.0.0.1:${listener.port}`;
  return { ...parts, links, book, verdicts, listener, url, commandKey, timeKey, connectionString };
}
export type TestCenter = Awaited<ReturnType<typeof openTestCenter>>;

export async function makeRequest(gatewayId: string) {
  const keys = await webcrypto.subtle.generateKey(EC, true, ["sign", "verify"]);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: `CN=${gatewayId}`,
    keys,
    signingAlgorithm: EC,
  });
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  return {
    key: `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`,
    certificateRequest: request.toString("pem"),
  };
}

export function client(
  center: TestCenter,
  tls: { readonly key?: string; readonly cert?: string } = {},
): AxiosInstance {
  const httpsAgent = new Agent({ ...tls, ca: center.authority.certificate, keepAlive: false });
  return axios.create({
    baseURL: center.url,
    httpsAgent,
    proxy: false,
    timeout: 15_000,
    validateStatus: () => true,
  });
}

export async function claimFor(center: TestCenter, gatewayId: string) {
  const asked = {
    gatewayId: GatewayId(gatewayId),
    name: gatewayId,
    centerUrl: center.url,
    madeBy: "operator/test",
  };
  return parseClaim((await center.enrolment.makeClaim(asked)).claim);
}

/** A gateway's side, spoken by hand over real mutual TLS. */
export async function enrolGateway(center: TestCenter, gatewayId = "gw-test") {
  const claim = await claimFor(center, gatewayId);
  const fresh = await makeRequest(gatewayId);
  const body = { gatewayId, code: claim.code, certificateRequest: fresh.certificateRequest };
  const answer: AxiosResponse<EnrolmentAnswer> = await client(center).post("/enrol/v1", body);
  if (answer.status !== 200)
    throw new Error(`enrolment answered ${answer.status} ${JSON.stringify(answer.data)}`);
  const http = client(center, { key: fresh.key, cert: answer.data.certificate });
  return new TestGateway(gatewayId, http);
}

export const CATALOGUE: Catalogue = {
  siteId: "site-test",
  name: "Test",
  kinds: [
    {
      class: "streetlight",
      service: "lighting",
      profileId: "lamp",
      profileHash: "00",
      points: Array.from({ length: 10 }, (_, index) => ({
        name: index === 0 ? "dim-level" : `value-${index}`,
        type: index === 8 ? ("boolean" as const) : index === 9 ? ("text" as const) : ("number" as const),
        unit: "%",
        access: "read" as const,
        range: { min: 0, max: 100 },
        commandClass: null,
        pollClass: "lamp" as const,
        maxAgeMs: 90_000,
        polled: true,
        readBack: null,
      })),
    },
  ],
  devices: [
    {
      id: "lamp-1",
      name: "Lamp 1",
      kind: 0,
      position: { latitude: 47.3, longitude: 5 },
      parent: null,
      members: [],
      numbers: Array.from({ length: 10 }, (_, index) => index + 1),
      sweeps: { lamp: 1 },
    },
  ],
  retired: [],
};

export const newIncarnation = (): string => randomBytes(16).toString("hex");
const NOTHING = { A: 0, B: 0, C: 0, D: 0 };

export function reading(values: Partial<StoredReading> & { readonly number?: number } = {}): StoredReading {
  const { number = 1, ...rest } = values;
  const gatewayTimestamp = Instant(Date.UTC(2026, 5, 1, 12));
  const fixed = {
    value: 40,
    quality: "good",
    cause: "none",
    sourceTimestamp: null,
    stateVersion: 1,
  } as const;
  return { ...fixed, point: PointNumber(number), gatewayTimestamp, ...rest };
}

export function pointsEntry(
  incarnation: string,
  first: number,
  readings: readonly StoredReading[],
  lane: Lane = "C",
): Uint8Array {
  const body = encodePointsBlock({ storedAt: Millis(1_000), timeQuality: "unset", readings });
  const range = { first, count: readings.length };
  return encodeEntry({ incarnation: IncarnationId(incarnation), lane, range, kind: "points", body });
}

export function recordEntry(incarnation: string, lane: Lane, sequence: number, record: object): Uint8Array {
  const body = Buffer.from(JSON.stringify(record));
  const range = { first: sequence, count: 1 };
  return encodeEntry({ incarnation: IncarnationId(incarnation), lane, range, kind: "record", body });
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export class TestGateway {
  readonly gatewayId: string;
  readonly http: AxiosInstance;
  lineage: LineageEntry[];
  session = "";

  constructor(gatewayId: string, http: AxiosInstance) {
    this.gatewayId = gatewayId;
    this.http = http;
    this.lineage = [{ incarnation: newIncarnation(), parent: null, parentLast: NOTHING, openedAt: 0 }];
  }

  get incarnation(): string {
    return this.lineage.at(-1)?.incarnation ?? "";
  }

  /** The store is opened anew: another incarnation of the same lineage. */
  restart(parentLast: LineageEntry["parentLast"] = NOTHING): void {
    this.lineage.push({ incarnation: newIncarnation(), parent: this.incarnation, parentLast, openedAt: 0 });
  }

  helloMessage(changes: Partial<Hello> = {}): Hello {
    return {
      schema: "1.0",
      software: "test",
      incarnation: this.incarnation,
      lineage: this.lineage.map((entry) => ({ ...entry })),
      lanes: [],
      acknowledgedDigest: "0".repeat(64),
      highestSession: null,
      lastSafeTimeMs: 0,
      nowMs: 0,
      uptimeMs: 1_000,
      timeQuality: "unset",
      capabilities: { commands: ["write", "select", "operate"], codecs: ["zstd", "gzip", "none"] },
      backlog: NOTHING,
      disk: { usedBytes: 0, quotaBytes: 1, state: "ok" },
      nonce: "ab".repeat(16),
      catalogueHash: catalogueHash(CATALOGUE),
      ...changes,
    };
  }

  async hello(changes: Partial<Hello> = {}): Promise<AxiosResponse<Welcome>> {
    const answer: AxiosResponse<Welcome> = await this.http.post("/sync/v1/hello", this.helloMessage(changes));
    if (answer.status === 200) this.session = answer.data.session;
    return answer;
  }

  tellCatalogue(catalogue: Catalogue = CATALOGUE): Promise<AxiosResponse> {
    const message = { session: this.session, hash: catalogueHash(catalogue), catalogue };
    return this.http.post("/sync/v1/catalogue", message);
  }

  /** HELLO and CATALOGUE: ready for records. */
  async begin(): Promise<void> {
    for (const answer of [await this.hello(), await this.tellCatalogue()]) {
      if (answer.status !== 200) throw new Error(`begin: ${answer.status} ${JSON.stringify(answer.data)}`);
    }
  }

  send(bytes: Uint8Array): Promise<AxiosResponse> {
    return this.http.post("/sync/v1/batch", bytes, { headers: { "content-type": BATCH_CONTENT_TYPE } });
  }

  batch(
    frames: readonly Uint8Array[],
    ranges: readonly { readonly first: number; readonly count: number }[],
    more: {
      readonly lane?: Lane;
      readonly history?: "history";
      readonly session?: string;
      readonly incarnation?: string;
    } = {},
  ): Uint8Array {
    const { lane = "C", history, session = this.session, incarnation = this.incarnation } = more;
    const header = { session, lane, incarnation, ranges: [...ranges], history: history === "history" };
    return encodeBatch(header, frames, "zstd");
  }

  /** A batch of one block. */
  readings(
    first: number,
    readings: readonly StoredReading[],
    more: Parameters<TestGateway["batch"]>[2] = {},
  ): Uint8Array {
    const entry = pointsEntry(more.incarnation ?? this.incarnation, first, readings, more.lane ?? "C");
    return this.batch([entry], [{ first, count: readings.length }], more);
  }

  snapshot(readings: readonly StoredReading[], session = this.session): Promise<AxiosResponse> {
    const block = encodePointsBlock({ storedAt: Millis(1_000), timeQuality: "unset", readings });
    const bytes = encodeSnapshotPart(
      { session, incarnation: this.incarnation, part: 1, parts: 1 },
      block,
      "zstd",
    );
    return this.http.post("/sync/v1/snapshot", bytes, { headers: { "content-type": BATCH_CONTENT_TYPE } });
  }

  heartbeat(token = "cd".repeat(16), session = this.session): Promise<AxiosResponse> {
    const sweeps = [[1, 2_000]];
    const rest = {
      uptimeMs: 6_000,
      nowMs: 0,
      timeQuality: "unset",
      heads: NOTHING,
      backlog: NOTHING,
      sweeps,
    };
    return this.http.post("/sync/v1/heartbeat", { session, token, ...rest });
  }
}

/** Rows of a table or of any query a test asks. */
export async function rowsOf(database: Database, sql: string): Promise<readonly Record<string, unknown>[]> {
  return database.query<Record<string, unknown>>({ name: `test-${sha256(sql).slice(0, 20)}`, text: sql }, []);
}
