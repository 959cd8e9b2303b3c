import "reflect-metadata";
import { createPrivateKey, createPublicKey, type KeyObject, webcrypto, X509Certificate } from "node:crypto";
import { mkdir, open, readFile, rename, writeFile } from "node:fs/promises";
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

/** The files in the folder of keys can not be read as what they are; the message ends in what to do. */
export class IdentityError extends Error {
  override readonly name = "IdentityError";
}

/**
 * The identity in `<dataFolder>/identity`, or `undefined` if the gateway was never enrolled, or an enrolment was cut
 * off half-way. @throws {IdentityError} when the files are there and can not be read.
 */
export async function findIdentity(dataFolder: string): Promise<GatewayIdentity | undefined> {
  const folder = join(dataFolder, "identity");
  try {
    const read = (name: keyof typeof FILES): Promise<string> => readFile(join(folder, FILES[name]), "utf8");
    const certificate = await read("certificate");
    const key = await read("key");
    if (!isPair(key, certificate)) return undefined;
    return {
      gatewayId: commonName(certificate),
      key,
      certificate,
      authority: await read("authority"),
      commandKey: createPublicKey(await read("commandKey")),
      timeKey: createPublicKey(await read("timeKey")),
    };
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return undefined;
    const remedy = "check that the gateway's user owns it, or move it away and enrol again";
    throw new IdentityError(`read the identity in ${folder}: ${remedy}`, { cause: error });
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

/** Whether the center's answer makes a whole identity of the gateway and its key. */
export function isIdentity(gatewayId: string, fresh: FreshKey, answer: EnrolmentAnswer): boolean {
  try {
    const keys = [createPublicKey(answer.commandKey), createPublicKey(answer.timeKey)];
    return (
      isPair(fresh.key, answer.certificate) &&
      commonName(answer.certificate) === gatewayId &&
      new X509Certificate(answer.certificate).verify(new X509Certificate(answer.authority).publicKey) &&
      keys.every((key) => key.asymmetricKeyType === "ed25519")
    );
  } catch {
    return false;
  }
}

/**
 * Written whole or not at all: the key comes first and the certificate last, and a certificate that is not that of
 * the key is no identity.
 */
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
  await syncFolder(folder);
}

/** The names too must outlive a power cut: the claim is used up. */
async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder);
  await handle.sync();
}

function isPair(key: string, certificate: string): boolean {
  return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
}

function commonName(certificate: string): string {
  const { subject } = new X509Certificate(certificate);
  return /(?:^|\n)CN=([^\n]+)/.exec(subject)?.[1] ?? "";
}
