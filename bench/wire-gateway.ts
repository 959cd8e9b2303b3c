import { randomBytes } from "node:crypto";
import { Agent } from "node:https";
import axios, { type AxiosInstance } from "axios";
import { IncarnationId, PointNumber } from "../domain/ids.ts";
import type { Lane } from "../domain/lane.ts";
import type { StoredReading } from "../domain/reading.ts";
import { type Clock, Millis } from "../domain/time.ts";
import {
  BATCH_CONTENT_TYPE,
  encodeBatch,
  encodeSnapshotPart,
  parseBatchAnswer,
} from "../domain/wire/batch.ts";
import { type Catalogue, catalogueHash } from "../domain/wire/catalogue.ts";
import { parseClaim } from "../domain/wire/enrolment.ts";
import { encodeEntry } from "../domain/wire/entry.ts";
import { parseWelcome } from "../domain/wire/hello.ts";
import { encodePointsBlock } from "../domain/wire/points-block.ts";
import { enrol } from "../gateway/uplink/enrol.ts";
import { findIdentity } from "../gateway/uplink/identity.ts";

const PART = 1_000;
const PARALLEL = 4;
const NOTHING = { A: 0, B: 0, C: 0, D: 0 };
/** A busy center is measured, not given up: a gateway of the product would, after 15 s. */
const PATIENCE_MS = 180_000;

/** The center's view of a gateway: its wire, without a store, a field or a loop of its own. */
export class WireGateway {
  readonly id: string;
  readonly #clock: Clock;
  readonly #http: AxiosInstance;
  readonly #catalogue: Catalogue;
  readonly #hash: string;
  readonly #incarnation = randomBytes(16).toString("hex");
  readonly #openedAt: number;
  #session = "";
  #written = 0;

  constructor(
    id: string,
    wire: { readonly clock: Clock; readonly http: AxiosInstance; readonly catalogue: Catalogue },
  ) {
    this.id = id;
    this.#clock = wire.clock;
    this.#http = wire.http;
    this.#catalogue = wire.catalogue;
    this.#hash = catalogueHash(wire.catalogue);
    this.#openedAt = wire.clock.uptime();
  }

  static async enrolled(
    id: string,
    how: {
      readonly claim: string;
      readonly folder: string;
      readonly catalogue: Catalogue;
      readonly clock: Clock;
    },
  ): Promise<WireGateway> {
    const claim = parseClaim(how.claim);
    await enrol(claim, how.folder);
    const identity = await findIdentity(how.folder);
    if (identity === undefined) throw new Error(`${id} has no identity after its enrolment`);
    const { certificate: cert, key, authority: ca } = identity;
    const httpsAgent = new Agent({ cert, key, ca, keepAlive: true, maxSockets: 16 });
    const options = { httpsAgent, proxy: false, timeout: PATIENCE_MS, maxBodyLength: Infinity } as const;
    return new WireGateway(id, { ...how, http: axios.create({ baseURL: claim.centerUrl, ...options }) });
  }

  get points(): number {
    return this.#catalogue.devices.reduce((count, { numbers }) => count + numbers.length, 0);
  }

  async hello(): Promise<void> {
    const welcome = await this.#post("hello", {
      schema: "1.0",
      software: "bench",
      incarnation: this.#incarnation,
      lineage: [{ incarnation: this.#incarnation, parent: null, parentLast: NOTHING, openedAt: 0 }],
      lanes: [],
      acknowledgedDigest: "0".repeat(64),
      highestSession: null,
      lastSafeTimeMs: 0,
      nowMs: this.#clock.now(),
      uptimeMs: this.#uptime(),
      timeQuality: "synced",
      capabilities: { commands: ["write"], codecs: ["zstd"] },
      backlog: NOTHING,
      disk: { usedBytes: 0, quotaBytes: 1, state: "ok" },
      nonce: randomBytes(16).toString("hex"),
      catalogueHash: this.#hash,
    });
    this.#session = parseWelcome(welcome).session;
  }

  async heartbeat(): Promise<Millis> {
    const start = this.#clock.uptime();
    const sweeps = new Set(this.#catalogue.devices.flatMap((device) => Object.values(device.sweeps)));
    await this.#post("heartbeat", {
      session: this.#session,
      token: randomBytes(16).toString("hex"),
      uptimeMs: this.#uptime(),
      nowMs: this.#clock.now(),
      timeQuality: "synced",
      heads: NOTHING,
      backlog: NOTHING,
      sweeps: [...sweeps].map((sweep) => [sweep, 100]),
    });
    return Millis(this.#clock.uptime() - start);
  }

  async tellCatalogue(): Promise<void> {
    const message = { session: this.#session, hash: this.#hash, catalogue: this.#catalogue };
    await this.#post("catalogue", message);
  }

  async tellSnapshot(): Promise<void> {
    const readings = this.#readings(1);
    const parts = Math.ceil(readings.length / PART);
    await this.#inParallel(parts, async (part) => {
      const header = { session: this.#session, incarnation: this.#incarnation, part: part + 1, parts };
      const block = this.#block(readings.slice(part * PART, (part + 1) * PART));
      await this.#post("snapshot", encodeSnapshotPart(header, block, "zstd"));
    });
  }

  /** A reading of each point as live records of one lane. */
  async tellReadings(lane: Lane, stateVersion: number): Promise<void> {
    const readings = this.#readings(stateVersion);
    const first = this.#written + 1;
    this.#written += readings.length;
    const incarnation = this.#incarnation;
    await this.#inParallel(Math.ceil(readings.length / PART), async (part) => {
      const slice = readings.slice(part * PART, (part + 1) * PART);
      const range = { first: first + part * PART, count: slice.length };
      const body = this.#block(slice);
      const entry = encodeEntry({
        incarnation: IncarnationId(incarnation),
        lane,
        range,
        kind: "points",
        body,
      });
      const header = { session: this.#session, lane, incarnation, ranges: [range], history: false };
      const answer = parseBatchAnswer(await this.#post("batch", encodeBatch(header, [entry], "zstd")));
      if ("refusal" in answer || answer.outcomes.some(({ outcome }) => outcome !== "stored"))
        throw new Error(`${this.id}: a batch was answered ${JSON.stringify(answer).slice(0, 300)}`);
    });
  }

  #readings(stateVersion: number): readonly StoredReading[] {
    const gatewayTimestamp = this.#clock.now();
    return this.#catalogue.devices.flatMap(({ kind, numbers }) =>
      (this.#catalogue.kinds[kind]?.points ?? [])
        .map(({ type }, place) => ({ number: numbers[place] ?? 0, type }))
        .map(({ number, type }) => ({
          point: PointNumber(number),
          value: type === "boolean" ? number % 2 === 0 : (number + stateVersion) % 100,
          quality: "good" as const,
          cause: "none" as const,
          gatewayTimestamp,
          sourceTimestamp: null,
          stateVersion,
        })),
    );
  }

  #block(readings: readonly StoredReading[]): Uint8Array {
    return encodePointsBlock({ storedAt: this.#uptime(), timeQuality: "synced", readings });
  }

  async #post(what: string, body: object): Promise<unknown> {
    const isBytes = body instanceof Uint8Array;
    const headers = { "content-type": isBytes ? BATCH_CONTENT_TYPE : "application/json" };
    const { data } = await this.#http.post<unknown>(`/sync/v1/${what}`, isBytes ? Buffer.from(body) : body, {
      headers,
    });
    return data;
  }

  #uptime(): Millis {
    return Millis(this.#clock.uptime() - this.#openedAt);
  }

  async #inParallel(count: number, work: (index: number) => Promise<void>): Promise<void> {
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < count) {
        next += 1;
        await work(next - 1);
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, worker));
  }
}
