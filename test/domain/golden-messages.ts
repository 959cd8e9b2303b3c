import { generateKeyPairSync } from "node:crypto";
import { IncarnationId, PointNumber } from "../../domain/ids.ts";
import { Instant, Millis } from "../../domain/time.ts";
import { encodeBatch, encodeSnapshotPart } from "../../domain/wire/batch.ts";
import { type Catalogue, catalogueHash } from "../../domain/wire/catalogue.ts";
import { signCommand } from "../../domain/wire/downlink.ts";
import { formatClaim } from "../../domain/wire/enrolment.ts";
import { encodeEntry } from "../../domain/wire/entry.ts";
import { encodePointsBlock } from "../../domain/wire/points-block.ts";
import { encodeEvidenceRecord } from "../../domain/wire/record-kinds.ts";

const incarnation = IncarnationId("00112233445566778899aabbccddeeff");
const counts = { A: 3, B: 20, C: 400, D: 0 };
const HASH = "ab".repeat(32);
const TOKEN = "cd".repeat(16);
const SESSION = "1.7";

const catalogue: Catalogue = {
  siteId: "dijon-centre",
  name: "Dijon centre",
  kinds: [
    {
      class: "streetlight",
      service: "lighting",
      profileId: "intesis-dali-lamp",
      profileHash: HASH,
      points: [
        {
          name: "dim-level",
          type: "number",
          unit: "%",
          access: "read-write",
          range: { min: 0, max: 100 },
          commandClass: "K1",
          pollClass: "lamp",
          maxAgeMs: 90_000,
          polled: true,
          readBack: "actual-level",
        },
      ],
    },
  ],
  devices: [
    {
      id: "lamp-0001",
      name: "Place Darcy 1",
      kind: 0,
      position: { latitude: 47.3237, longitude: 5.0331 },
      parent: null,
      members: [],
      numbers: [1],
      sweeps: { lamp: 1 },
    },
  ],
  retired: [{ pointId: "lamp-0000/dim-level", number: 2 }],
};

/** One of each, made by the present code: what stands in the file was made by the code of its day. */
export function goldenMessages(): Readonly<Record<string, unknown>> {
  const { privateKey } = generateKeyPairSync("ed25519");
  const evidence = {
    tWall: 1_795_000_000_000,
    tMono: 12_345,
    tq: "synced" as const,
    previousHash: "0".repeat(64),
    body: { kind: "audit" as const, action: "gateway-started", actor: "gateway", detail: "" },
  };
  const entry = encodeEntry({
    incarnation,
    lane: "A",
    range: { first: 1, count: 1 },
    kind: "record",
    body: encodeEvidenceRecord(evidence),
  });
  const batch = {
    session: SESSION,
    lane: "A" as const,
    incarnation,
    ranges: [{ first: 1, count: 1 }],
    history: false,
  };
  return {
    ...handshake(),
    catalogue: { session: SESSION, hash: catalogueHash(catalogue), catalogue },
    batchAnswer: { outcomes: [{ first: 1, count: 1, outcome: "stored" }] },
    downlinkHeartbeat: { kind: "heartbeat", centerTimeMs: 1_795_000_000_000 },
    downlinkCommand: signCommand(order(), privateKey),
    downlinkRead: {
      kind: "read",
      session: SESSION,
      readId: TOKEN,
      pointIds: ["lamp-0001/actual-level"],
      requester: "operator/anna",
      budgetMs: 3_000,
    },
    readReport: {
      session: SESSION,
      readId: TOKEN,
      points: [{ pointId: "lamp-0001/actual-level", value: 40, quality: "good", cause: "none" }],
    },
    testOnlyCommandKey: privateKey.export({ type: "pkcs8", format: "pem" }),
    evidence,
    gap: {
      tWall: 1_795_000_000_000,
      tMono: 12_345,
      tq: "holdover",
      body: { kind: "gap", lane: "C", incarnation, first: 10, count: 5, reason: "the disk was full" },
    },
    batch: Buffer.from(encodeBatch(batch, [entry], "none")).toString("base64"),
    snapshot: Buffer.from(snapshot()).toString("base64"),
    claim: formatClaim({
      gatewayId: "gw-dijon-centre",
      centerUrl: "https://center.example:8443",
      authorityFingerprint: HASH,
      code: "abcd-efgh-2345-6789",
    }),
  };
}

function handshake(): Readonly<Record<string, unknown>> {
  return {
    hello: {
      schema: "1.0",
      software: "nerve 0.1.0",
      incarnation,
      lineage: [
        { incarnation, parent: null, parentLast: { A: 0, B: 0, C: 0, D: 0 }, openedAt: 1_795_000_000_000 },
      ],
      lanes: [{ incarnation, lane: "C", lowestRetained: 1, highestWritten: 400 }],
      acknowledgedDigest: HASH,
      highestSession: "1.6",
      lastSafeTimeMs: 1_794_999_000_000,
      nowMs: 1_795_000_000_000,
      uptimeMs: 12_345,
      timeQuality: "holdover",
      capabilities: { commands: ["write"], codecs: ["zstd", "gzip", "none"] },
      backlog: counts,
      disk: { usedBytes: 1, quotaBytes: 2, state: "ok" },
      nonce: TOKEN,
      catalogueHash: HASH,
    },
    welcome: {
      session: SESSION,
      cursors: [{ incarnation, lane: "C", ranges: [{ first: 1, count: 100 }] }],
      credits: 12,
      centerTimeMs: 1_795_000_000_000,
      timeSignature: "c2lnbmF0dXJl",
      catalogueHash: null,
      codecs: ["zstd", "gzip", "none"],
    },
    heartbeat: {
      session: SESSION,
      token: TOKEN,
      uptimeMs: 12_345,
      nowMs: 1_795_000_000_000,
      timeQuality: "synced",
      heads: counts,
      sweeps: [[1, 850]],
      backlog: counts,
    },
  };
}

function order() {
  return {
    kind: "command" as const,
    gatewayId: "gw-dijon-centre",
    commandId: "019ab000-0000-7000-8000-000000000001",
    pointId: "lamp-0001/dim-level",
    action: "write" as const,
    value: 40,
    args: [],
    commandClass: "K1" as const,
    sequence: { generation: 1, counter: 9 },
    session: SESSION,
    token: TOKEN,
    budgetMs: 60_000,
    requester: "operator/anna",
    approvals: [],
    policyVersion: "1",
    crit: [],
  };
}

function snapshot(): Uint8Array {
  const reading = {
    point: PointNumber(1),
    value: 40,
    quality: "good" as const,
    cause: "none" as const,
    gatewayTimestamp: Instant(1_795_000_000_000),
    sourceTimestamp: null,
    stateVersion: 17,
  };
  const block = encodePointsBlock({ storedAt: Millis(12_345), timeQuality: "synced", readings: [reading] });
  return encodeSnapshotPart({ session: SESSION, incarnation, part: 1, parts: 1 }, block, "none");
}
