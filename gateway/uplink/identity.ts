import "reflect-metadata";
import { createPublicKey, type KeyObject, webcrypto, X509Certificate } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";
import type { EnrolmentAnswer } from "../../domain/wire/enrolment.ts";

/** Who this gateway is: a key made on site that never leaves it, and what the center gave at enrolment. PEM texts. */
export interface GatewayIdentity {
  readonly gatewayId: string;
  readonly key: string;
  readonly certificate: string;
  readonly authority: string;
  /** Ed25519: what orders are checked with. */
  readonly commandKey: KeyObject;
  /** Ed25519: signs the center's time. */
  readonly timeKey: KeyObject;
}

const FILES = {
  key: "key.pem",
  certificate: "certificate.pem",
  authority: "authority.pem",
  commandKey: "command-key.pem",
  timeKey: "time-key.pem",
} as const;
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** A key pair that waits for its certificate. */
export interface FreshKey {
  /** PKCS #8, PEM. */
  readonly key: string;
  /** PKCS #10, PEM, with the gateway id as common name. */
  readonly certificateRequest: string;
}

/** The identity in `<dataFolder>/identity`, or `undefined` if the gateway was never enrolled. */
export async function findIdentity(dataFolder: string): Promise<GatewayIdentity | undefined> {
  const folder = join(dataFolder, "identity");
  try {
    const read = (name: keyof typeof FILES): Promise<string> => readFile(join(folder, FILES[name]), "utf8");
    const certificate = await read("certificate");
    return {
      gatewayId: commonName(certificate),
      key: await read("key"),
      certificate,
      authority: await read("authority"),
      commandKey: createPublicKey(await read("commandKey")),
      timeKey: createPublicKey(await read("timeKey")),
    };
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return undefined;
    throw error;
  }
}

export async function makeKey(gatewayId: string): Promise<FreshKey> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: `CN=${gatewayId}`,
    keys,
    signingAlgorithm: ALGORITHM,
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  const lines = pkcs8.match(/.{1,64}/g) ?? [];
  return {
    key: `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`,
    certificateRequest: request.toString("pem"),
  };
}

/** Written whole or not at all: the certificate comes last, and without it there is no identity. */
export async function saveIdentity(
  dataFolder: string,
  fresh: FreshKey,
  answer: EnrolmentAnswer,
): Promise<void> {
  const folder = join(dataFolder, "identity");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const contents: readonly (readonly [keyof typeof FILES, string])[] = [
    ["key", fresh.key],
    ["authority", answer.authority],
    ["commandKey", answer.commandKey],
    ["timeKey", answer.timeKey],
    ["certificate", answer.certificate],
  ];
  for (const [name, text] of contents) {
    const path = join(folder, FILES[name]);
    await writeFile(`${path}.new`, text, { mode: 0o600, flush: true });
    await rename(`${path}.new`, path);
  }
}

function commonName(certificate: string): string {
  const { subject } = new X509Certificate(certificate);
  return /(?:^|\n)CN=([^\n]+)/.exec(subject)?.[1] ?? "";
}
