import { X509Certificate } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import t from "tap";
import { Instant } from "../../../domain/time.ts";
import { SECURITY_POLICIES } from "../../../drivers/opcua/bus-config.ts";
import { ownCertificate } from "../../../drivers/opcua/own-certificate.ts";
import { openBus, point, read, shown } from "./opened-bus.ts";
import { openTestServer } from "./test-nodes.ts";

const folder = t.testdir();
const pki = join(folder, "pki");
const SECRET = "correct horse battery staple";
const server = await openTestServer(pki, {
  security: "secured",
  clients: "trusted",
  user: { name: "nerve", password: SECRET },
});
t.teardown(() => server[Symbol.asyncDispose]());
server.set("Level", 42);
writeFileSync(join(folder, "password"), `${SECRET}\n`);
writeFileSync(join(folder, "wrong"), "wrong horse\n");
const certificate = new X509Certificate(readFileSync(join(pki, "own/certs/certificate.pem")));
const security = { mode: "sign-and-encrypt", policy: "Basic256Sha256" };
const user = { name: "nerve", passwordFile: "password" };
const trusted = { endpoint: server.server.url, security, trustedServer: certificate.fingerprint256, user };

async function refusal(config: object): Promise<Error> {
  try {
    await using bus = await openBus(config, { folder });
    await bus[Symbol.asyncDispose]();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("it was let in");
}
const reason = (error: Error): string => (error.cause instanceof Error ? error.cause.message : "");

t.test("the gateway's own certificate is made once, for it alone to read, also by two at once", async (t) => {
  const own = join(folder, "opcua");
  const [one, other] = await Promise.all([
    ownCertificate(own, Instant(Date.now())),
    ownCertificate(own, Instant(Date.now())),
  ]);
  t.equal(one.applicationUri, other.applicationUri);
  t.match(one.applicationUri, /^urn:nerve:gateway:[0-9a-f]{16}$/);
  t.same(
    readdirSync(own).toSorted(),
    ["application-certificate.der", "application.pem"],
    "and leaves nothing else",
  );
  t.equal(statSync(join(own, "application.pem")).mode & 0o777, 0o600);
  const shownToServers = new X509Certificate(readFileSync(join(own, "application-certificate.der")));
  t.match(shownToServers.subjectAltName, one.applicationUri);
  t.notMatch(inspect(one, { depth: 9 }) + JSON.stringify(one), /PRIVATE KEY/);
});

t.test("a server that does not know the gateway says so, with what to carry where", async (t) => {
  const error = await refusal(trusted);
  t.match(error, { code: "connection-lost" });
  t.match(reason(error), /application-certificate\.der/);
});

t.test("a gateway that is known gets in with every policy, signed or encrypted", async (t) => {
  await server.server.trust(readFileSync(join(folder, "opcua/application-certificate.der")));
  for (const policy of SECURITY_POLICIES) {
    for (const mode of ["sign", "sign-and-encrypt"]) {
      await using bus = await openBus({ ...trusted, security: { mode, policy } }, { folder });
      t.equal(shown((await read(bus, [point("level", "s={unit}.Level")]))[0]), 42, `${mode} ${policy}`);
    }
  }
});

t.test("an unknown server is refused with its fingerprint, until the installer has decided", async (t) => {
  const { trustedServer, ...undecided } = trusted;
  t.match(reason(await refusal(undecided)), `trustedServer: "${trustedServer}"`);
  t.match(reason(await refusal({ ...undecided, trustedServer: "ab".repeat(32) })), trustedServer);
  t.match(String(await refusal({ ...undecided, trustFolder: "nowhere" })), /make it, or mend trustFolder/);
  mkdirSync(join(folder, "servers"));
  t.match(reason(await refusal({ ...undecided, trustFolder: "servers" })), trustedServer);
  writeFileSync(join(folder, "servers/junction-1.der"), certificate.raw);
  await using bus = await openBus({ ...undecided, trustFolder: "servers" }, { folder });
  t.equal(shown((await read(bus, [point("level", "s={unit}.Level")]))[0]), 42);
});

t.test("what the server does not offer is told with what it does", async (t) => {
  const none = await refusal({ endpoint: server.server.url, security: "none" });
  t.match(none, { code: "connection-lost" }, "no session without security where the server wants it");
});

t.test("I42 users are let in by their secret, which is nowhere to be seen", async (t) => {
  const frames: Uint8Array[] = [];
  const note = (_: string, bytes: Uint8Array): void => {
    frames.push(Buffer.from(bytes));
  };
  await using bus = await openBus(
    { ...trusted, security: { mode: "sign", policy: "Basic256Sha256" } },
    { folder, frames: note },
  );
  await read(bus, [point("level", "s={unit}.Level")]);
  t.ok(frames.length >= 2);
  t.notOk(frames.some((bytes) => Buffer.from(bytes).includes(SECRET)));
  for (const wrong of [
    { name: "nerve", passwordFile: "wrong" },
    { name: "somebody", passwordFile: "password" },
  ]) {
    const error = await refusal({ ...trusted, user: wrong });
    t.match(reason(error), /mend user of the bus/);
    t.notMatch(inspect(error, { depth: 9 }), new RegExp(`${SECRET}|wrong horse`));
  }
  t.match(
    String(await refusal({ ...trusted, user: { name: "nerve", passwordFile: "missing" } })),
    /mend user\.passwordFile/,
  );
  const { user: _, ...nobody } = trusted;
  t.match(reason(await refusal(nobody)), /set user of the bus/);
});

t.test("a user certificate opens a session, and another's key does not", async (t) => {
  const pem = readFileSync(join(folder, "opcua/application.pem"), "utf8");
  writeFileSync(join(folder, "user.pem"), pem);
  const certified = { ...trusted, user: { certificateFile: "user.pem", keyFile: "user.pem" } };
  await using bus = await openBus(certified, { folder });
  t.equal(shown((await read(bus, [point("level", "s={unit}.Level")]))[0]), 42);
  writeFileSync(join(folder, "other.pem"), readFileSync(join(pki, "own/private/private_key.pem")));
  const error = await refusal({ ...trusted, user: { certificateFile: "user.pem", keyFile: "other.pem" } });
  t.match(error, { code: "connection-lost" });
  t.notMatch(inspect(error, { depth: 9 }), /PRIVATE KEY/);
});
