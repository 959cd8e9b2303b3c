import "reflect-metadata";
import { createHash, generateKeyPairSync, webcrypto } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import * as x509 from "@peculiar/x509";
import type { Test } from "tap";
import { TransportError } from "../../gateway/uplink/center-transport.ts";
import type { GatewayIdentity } from "../../gateway/uplink/identity.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const VALID = { notBefore: new Date(Date.now() - 86_400_000), notAfter: new Date(Date.now() + 86_400_000) };

interface KeyPair {
  readonly publicKey: webcrypto.CryptoKey;
  readonly privateKey: webcrypto.CryptoKey;
}

/** A certificate authority of a test, and what it issues. PEM. */
export interface TestAuthority {
  readonly certificate: string;
  readonly fingerprint: string;
  issue(name: string, publicKey: webcrypto.CryptoKey | x509.PublicKey): Promise<string>;
}

export async function makeAuthority(name: string): Promise<TestAuthority> {
  const keys = await makeKeys();
  const own = await x509.X509CertificateGenerator.createSelfSigned({
    ...VALID,
    name: `CN=${name}`,
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
  });
  return {
    certificate: own.toString("pem"),
    fingerprint: createHash("sha256").update(Buffer.from(own.rawData)).digest("hex"),
    issue: async (subject, publicKey) => {
      const issued = await x509.X509CertificateGenerator.create({
        ...VALID,
        subject: `CN=${subject}`,
        issuer: own.subject,
        publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: ALGORITHM,
        extensions: [new x509.SubjectAlternativeNameExtension([{ type: "ip", value: "127.0.0.1" }])],
      });
      return issued.toString("pem");
    },
  };
}

async function makeKeys(): Promise<KeyPair> {
  return await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  const bytes = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key)).toString("base64");
  return `-----BEGIN PRIVATE KEY-----\n${(bytes.match(/.{1,64}/g) ?? []).join("\n")}\n-----END PRIVATE KEY-----\n`;
}

/** A gateway that `authority` has enrolled. */
export async function makeIdentity(authority: TestAuthority, gatewayId = "gw-1"): Promise<GatewayIdentity> {
  const keys = await makeKeys();
  const { publicKey } = generateKeyPairSync("ed25519");
  return {
    gatewayId,
    key: await pemOf(keys.privateKey),
    certificate: await authority.issue(gatewayId, keys.publicKey),
    authority: authority.certificate,
    commandKey: publicKey,
    timeKey: publicKey,
  };
}

/** What a failed attempt was rejected with, if that is a transport error. @throws everything else */
export async function transportFault(attempt: Promise<unknown>): Promise<TransportError> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof TransportError) return error;
    throw error;
  }
  throw new Error("nothing went wrong");
}

export type Answerer = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

/** An HTTPS server of `authority`, which asks for a client's certificate unless told not to. Ends with the test. */
export async function openCenter(
  t: Test,
  authority: TestAuthority,
  answer: Answerer,
  clients: "must-have-certificates" | "anybody" = "must-have-certificates",
): Promise<string> {
  const keys = await makeKeys();
  const asks = clients === "must-have-certificates";
  const server = createServer(
    {
      key: await pemOf(keys.privateKey),
      cert: `${await authority.issue("center", keys.publicKey)}\n${authority.certificate}`,
      ca: authority.certificate,
      requestCert: asks,
      rejectUnauthorized: asks,
    },
    (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => answer(request, response, Buffer.concat(chunks)));
    },
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export function json(response: ServerResponse, status: number, content: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(content));
}
