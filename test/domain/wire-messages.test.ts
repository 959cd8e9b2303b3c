import { createPrivateKey, createPublicKey } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { decodeBatch, decodeSnapshotPart, parseBatchAnswer } from "../../domain/wire/batch.ts";
import { parseCatalogueMessage } from "../../domain/wire/catalogue.ts";
import { isCommandSignatureValid, parseDownlinkLine } from "../../domain/wire/downlink.ts";
import { formatClaim, parseClaim } from "../../domain/wire/enrolment.ts";
import { parseReadReport } from "../../domain/wire/fresh-read.ts";
import { parseHeartbeat } from "../../domain/wire/heartbeat.ts";
import { parseHello, parseWelcome } from "../../domain/wire/hello.ts";
import { decodeEventRecord, decodeEvidenceRecord } from "../../domain/wire/record-kinds.ts";
import { WireError } from "../../domain/wire/wire-error.ts";
import { goldenMessages } from "./golden-messages.ts";

/**
 * Messages as they were first sent. From the first release on, a change that makes one of these fail breaks every
 * gateway in the street: it needs a new schema major (PROTOCOL §7), not a new file.
 */
const FILE = join(import.meta.dirname, "../fixtures/wire/messages.json");
// `UPDATE=1` adds new messages; it never changes what stands there.
if (process.env["UPDATE"] === "1") {
  const kept = readGolden();
  writeFileSync(FILE, `${JSON.stringify({ ...goldenMessages(), ...kept }, null, 2)}\n`);
}
const golden = readGolden();

const PARSERS: Readonly<Record<string, (message: unknown) => unknown>> = {
  hello: parseHello,
  welcome: parseWelcome,
  heartbeat: parseHeartbeat,
  catalogue: parseCatalogueMessage,
  batchAnswer: parseBatchAnswer,
  downlinkCommand: (message) => parseDownlinkLine(JSON.stringify(message)),
  downlinkHeartbeat: (message) => parseDownlinkLine(JSON.stringify(message)),
  downlinkRead: (message) => parseDownlinkLine(JSON.stringify(message)),
  readReport: parseReadReport,
  evidence: (message) => decodeEvidenceRecord(Buffer.from(JSON.stringify(message))),
  gap: (message) => decodeEventRecord(Buffer.from(JSON.stringify(message))),
};

for (const [name, parse] of Object.entries(PARSERS)) {
  t.test(
    `${name}: the golden message is understood whole, and a newer one with a field more as well`,
    async (t) => {
      const message = golden[name];
      t.ok(message, "the file has it");
      t.match(parse(message), message as object);
      if (name !== "batchAnswer")
        t.doesNotThrow(() => parse({ ...(message as object), laterField: { deep: [1] } }));
    },
  );
  t.test(`${name}: without any one of its fields it is refused with the place`, async (t) => {
    const message = golden[name] as Record<string, unknown>;
    for (const field of Object.keys(message)) {
      const { [field]: _left, ...rest } = message;
      t.throws(() => parse(rest), WireError, `without ${field}`);
    }
  });
}

t.test("a catalogue whose device names no kind, or numbers other than its points, is refused", async (t) => {
  const message = golden["catalogue"] as { catalogue: { devices: readonly object[] } };
  const [device] = message.catalogue.devices;
  const cases = [
    { name: "no such kind", change: { kind: 1 }, at: /\/catalogue\/devices\/0\/kind/ },
    { name: "a number too many", change: { numbers: [1, 2] }, at: /\/catalogue\/devices\/0\/numbers/ },
    { name: "a number too few", change: { numbers: [] }, at: /\/catalogue\/devices\/0\/numbers/ },
    {
      name: "a sweep of no poll class",
      change: { sweeps: { often: 1 } },
      at: /\/catalogue\/devices\/0\/sweeps/,
    },
  ];
  for (const { name, change, at } of cases) {
    const catalogue = { ...message.catalogue, devices: [{ ...device, ...change }] };
    t.throws(() => parseCatalogueMessage({ ...message, catalogue }), at, name);
  }
});

t.test("the golden batch and snapshot come out of their bytes", async (t) => {
  const batch = decodeBatch(Buffer.from(String(golden["batch"]), "base64"));
  t.match(batch.header, { lane: "A", history: false, ranges: [{ first: 1, count: 1 }] });
  t.equal(batch.frames.length, 1);
  const part = decodeSnapshotPart(Buffer.from(String(golden["snapshot"]), "base64"));
  t.match(part.header, { part: 1, parts: 1 });
  t.ok(part.block.length > 0);
});

t.test("I31 the golden order is signed over every field it binds", async (t) => {
  const message = parseDownlinkLine(JSON.stringify(golden["downlinkCommand"]));
  if (message.kind !== "command") return t.fail("no command");
  const authority = createPublicKey(createPrivateKey(String(golden["testOnlyCommandKey"])));
  t.ok(isCommandSignatureValid(message, authority));
  const bound = {
    value: 41,
    pointId: "lamp-2/dim-level",
    gatewayId: "gw-2",
    session: "1.2",
    budgetMs: 60_001,
  };
  for (const [field, value] of Object.entries(bound)) {
    t.notOk(isCommandSignatureValid({ ...message, [field]: value }, authority), field);
  }
  return undefined;
});

t.test("a claim is one line that comes back whole, and is refused when it was cut", async (t) => {
  const claim = parseClaim(String(golden["claim"]));
  t.equal(formatClaim(claim), golden["claim"]);
  t.throws(() => parseClaim(String(golden["claim"]).slice(0, -4)), WireError);
  t.throws(() => parseClaim("hello"), WireError);
});

function readGolden(): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(readFileSync(FILE, "utf8")) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}
