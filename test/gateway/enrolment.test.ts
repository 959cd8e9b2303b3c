import "reflect-metadata";
import { generateKeyPairSync } from "node:crypto";
import { chmod, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import * as x509 from "@peculiar/x509";
import { pino } from "pino";
import t, { type Test } from "tap";
import { systemClock } from "../../domain/system-clock.ts";
import { systemRandom } from "../../domain/system-random.ts";
import { Millis } from "../../domain/time.ts";
import { type Claim, formatClaim } from "../../domain/wire/enrolment.ts";
import { enrol } from "../../gateway/uplink/enrol.ts";
import { Enrolment } from "../../gateway/uplink/enrolment.ts";
import { findIdentity, IdentityError } from "../../gateway/uplink/identity.ts";
import {
  type Answerer,
  json,
  makeAuthority,
  makeIdentity,
  openCenter,
  transportFault,
} from "./https-center.ts";

const AUTHORITY = await makeAuthority("test authority");
const IDENTITY = await makeIdentity(AUTHORITY);
const NOWHERE = "https://127.0.0.1:1";

/** A center that enrols whoever comes; `change` spoils its answer. */
async function enroller(t: Test, change: (answer: Record<string, string>) => unknown = (answer) => answer) {
  const pem = generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }).toString();
  const answer: Answerer = (_request, response, body) => {
    const { certificateRequest, gatewayId } = JSON.parse(body.toString());
    const { publicKey } = new x509.Pkcs10CertificateRequest(certificateRequest);
    void AUTHORITY.issue(gatewayId, publicKey).then((certificate) =>
      json(
        response,
        200,
        change({ certificate, authority: AUTHORITY.certificate, commandKey: pem, timeKey: pem }),
      ),
    );
  };
  const centerUrl = await openCenter(t, AUTHORITY, answer, "anybody");
  const claim: Claim = {
    gatewayId: "gw-7",
    centerUrl,
    authorityFingerprint: AUTHORITY.fingerprint,
    code: "one-time-code-0123456789",
  };
  return claim;
}

t.test("a claim becomes an identity that only its owner can read", async (t) => {
  const claim = await enroller(t);
  const folder = t.testdir();
  t.equal(await findIdentity(folder), undefined);
  await enrol(claim, folder);
  const identity = await findIdentity(folder);
  t.match(identity, { gatewayId: "gw-7", authority: AUTHORITY.certificate });
  for (const name of await readdir(`${folder}/identity`)) {
    t.equal((await stat(`${folder}/identity/${name}`)).mode & 0o777, 0o600, name);
  }
  t.equal((await stat(`${folder}/identity`)).mode & 0o777, 0o700);
});

t.test("an identity that was written half is none; one that can not be read says so", async (t) => {
  const folder = t.testdir();
  await enrol(await enroller(t), folder);
  const key = await readFile(`${folder}/identity/key.pem`, "utf8");
  await writeFile(`${folder}/identity/key.pem`, IDENTITY.key);
  t.equal(await findIdentity(folder), undefined, "a new key beside the certificate of the old one");
  await writeFile(`${folder}/identity/key.pem`, "-----BEGIN");
  await t.rejects(findIdentity(folder), { name: IdentityError.name, message: /enrol again/ });
  await writeFile(`${folder}/identity/key.pem`, key);
  await chmod(`${folder}/identity/key.pem`, 0o600);
  t.ok(await findIdentity(folder));
  await rm(`${folder}/identity/certificate.pem`);
  t.equal(await findIdentity(folder), undefined, "cut off before the certificate");
});

t.test(
  "a center that is not the one of the claim gets neither code nor request, and nothing is written",
  async (t) => {
    const folder = t.testdir();
    const claim = await enroller(t);
    const fault = await transportFault(enrol({ ...claim, authorityFingerprint: "0".repeat(64) }, folder));
    t.equal(fault.code, "not-trusted");
    t.notMatch(fault.message, /one-time-code/);
    const spoilt: readonly ((answer: Record<string, string>) => unknown)[] = [
      () => ({}),
      (answer) => ({ ...answer, certificate: IDENTITY.certificate }),
      (answer) => ({ ...answer, commandKey: "none" }),
      (answer) => ({ ...answer, timeKey: answer["certificate"] }),
    ];
    for (const change of spoilt) {
      t.equal((await transportFault(enrol(await enroller(t, change), folder))).code, "malformed");
    }
    const url = await openCenter(
      t,
      AUTHORITY,
      (_request, response) => json(response, 403, { error: { message: "used" } }),
      "anybody",
    );
    t.match(await transportFault(enrol({ ...claim, centerUrl: url }, folder)), {
      code: "refused",
      message: /used/,
    });
    t.equal(
      (await transportFault(enrol({ ...claim, centerUrl: "https://127.0.0.1:1" }, folder))).code,
      "unreachable",
    );
    t.same(await readdir(folder), []);
  },
);

/** Runs until the test ends; asked every second and more. */
function waiting(t: Test, folder: string) {
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  const enrolment = new Enrolment({
    ...{ gatewayId: "gw-7", dataFolder: folder },
    reconnect: { min: Millis(50), max: Millis(200) },
    ...{ clock: systemClock, random: systemRandom, logger: pino({ level: "silent" }) },
  });
  const until = async (detail: RegExp): Promise<string> => {
    for (;;) {
      const status = enrolment.status();
      if (detail.test(status.detail)) return status.phase;
      await systemClock.sleep(Millis(20), stop.signal);
    }
  };
  return { stop, until, identity: enrolment.identity(stop.signal), put: putInto(folder) };
}

const putInto =
  (folder: string) =>
  (claim: Claim | string): Promise<void> =>
    writeFile(`${folder}/claim`, typeof claim === "string" ? claim : `${formatClaim(claim)}\n`);

t.test("a claim that was left without network is redeemed when the center can be reached", async (t) => {
  const folder = t.testdir();
  const { until, identity, put } = waiting(t, folder);
  t.equal(await until(/waiting for a claim: nerve gateway enrol/), "not-enrolled");
  const claim = await enroller(t);
  await put({ ...claim, centerUrl: NOWHERE });
  t.equal(await until(/check the cable or modem/), "enrolling");
  await put(claim);
  t.match(await identity, { gatewayId: "gw-7", authority: AUTHORITY.certificate });
  t.same(await readdir(folder), ["identity"], "a claim works once, and is gone");
});

t.test("a claim that is of no use is told, kept, and not tried again; the next one counts", async (t) => {
  const folder = t.testdir();
  const claim = await enroller(t);
  let asked = 0;
  const refusing = await openCenter(
    t,
    AUTHORITY,
    (_request, response) => {
      asked += 1;
      json(response, 403, { error: { message: "used already" } });
    },
    "anybody",
  );
  await putInto(folder)("nerve-claim-1.cut-of");
  const { until, identity, put } = waiting(t, folder);
  t.equal(await until(/of no use.*claim/), "not-enrolled", "cut off");
  await put({ ...claim, gatewayId: "gw-8" });
  t.equal(await until(/for gw-8, the site file says gw-7/), "not-enrolled", "another gateway's");
  await put({ ...claim, centerUrl: refusing });
  t.equal(await until(/used already/), "not-enrolled", "refused by the center");
  await systemClock.sleep(Millis(2_200), new AbortController().signal);
  t.equal(asked, 1, "asked once");
  t.match(await readFile(`${folder}/claim`, "utf8"), /^nerve-claim-1/, "the crew can look at it");
  await put(claim);
  t.match(await identity, { gatewayId: "gw-7" });
});

t.test("an enrolment beside the running gateway counts, and its end ends the wait", async (t) => {
  const [beside, ended] = [t.testdir({ a: {}, b: {} })].flatMap((folder) => [`${folder}/a`, `${folder}/b`]);
  const { identity } = waiting(t, beside ?? "");
  await enrol(await enroller(t), beside ?? "");
  t.match(await identity, { gatewayId: "gw-7" });
  const other = waiting(t, ended ?? "");
  other.stop.abort();
  t.equal(await other.identity, undefined);
});
