import { randomBytes, X509Certificate } from "node:crypto";
import { chmod, link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crypto_utils as crypto, type OPCUAClientOptions } from "node-opcua-client";
import { Days, type Instant } from "../../domain/time.ts";

/** The gateway as an OPC UA application: what a server's owner puts into the server's trust list. */
export interface OwnCertificate {
  /** The same in the certificate (OPC 10000-6 §6.2.2), so that a server can tell gateways apart. */
  readonly applicationUri: string;
  readonly keys: NonNullable<OPCUAClientOptions["certificateKeyPairProvider"]>;
}

/** Certificate and key in one file, so that one can never be without the other. Mode 0600. */
const PAIR_FILE = "application.pem";
/** The certificate alone, to be copied to servers. */
export const CERTIFICATE_FILE = "application-certificate.der";
/** As long as the box lives: nobody drives to 113 junctions for a date, and a server may refuse it at any time. */
const VALIDITY_DAYS = 20 * 365;
/** A gateway's clock may be ahead of a cabinet's, or not be set yet. */
const BACKDATED_DAYS = 2;

/** Reads the gateway's own certificate from `folder`, or makes it there at the first use. */
export async function ownCertificate(folder: string, now: Instant): Promise<OwnCertificate> {
  const file = join(folder, PAIR_FILE);
  const pem = (await readIfThere(file)) ?? (await make(folder, file, now));
  const certificate = new X509Certificate(pem);
  const applicationUri = /URI:([^\s,]+)/.exec(certificate.subjectAltName ?? "")?.[1];
  if (applicationUri === undefined) {
    throw new Error(
      `${file} is no application certificate: move it away, and a new one is made at the next start`,
    );
  }
  return { applicationUri, keys: new KeyPair(certificate.raw, crypto.makePrivateKeyFromPem(keyIn(pem))) };
}

/** Kept in memory as the library wants it, and shown nowhere. */
class KeyPair implements NonNullable<OPCUAClientOptions["certificateKeyPairProvider"]> {
  /** By this name the library knows that there is nothing to look for on the disk. */
  readonly certificateFile = "<in-memory>";
  readonly privateKeyFile = "<in-memory>";
  readonly #certificate: Buffer;
  readonly #key: ReturnType<typeof crypto.makePrivateKeyFromPem>;

  constructor(certificate: Buffer, key: ReturnType<typeof crypto.makePrivateKeyFromPem>) {
    this.#certificate = certificate;
    this.#key = key;
  }

  getCertificate(): Buffer {
    return this.#certificate;
  }

  getCertificateChain(): Buffer[] {
    return [this.#certificate];
  }

  getPrivateKey(): ReturnType<typeof crypto.makePrivateKeyFromPem> {
    return this.#key;
  }

  toJSON(): string {
    return "application key";
  }
}

/** Two field hosts may come here at once: the file appears whole, and the first one stays. */
async function make(folder: string, file: string, now: Instant): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const id = randomBytes(8).toString("hex");
  const key = await crypto.generatePrivateKey(2_048);
  const { cert } = await crypto.createSelfSignedCertificate({
    privateKey: key,
    subject: `CN=Nerve gateway ${id}`,
    applicationUri: `urn:nerve:gateway:${id}`,
    dns: ["nerve-gateway"],
    notBefore: new Date(now - Days(BACKDATED_DAYS)),
    validity: VALIDITY_DAYS,
    purpose: crypto.CertificatePurpose.ForApplication,
  });
  const { privPem } = await crypto.privateKeyToPEM(key);
  const made = `${file}.${id}`;
  await writeFile(made, `${cert}\n${privPem}\n`, { mode: 0o600, flush: true });
  try {
    await link(made, file);
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
  } finally {
    await rm(made, { force: true });
  }
  const kept = await readFile(file, "utf8");
  await writeFile(join(folder, CERTIFICATE_FILE), new X509Certificate(kept).raw);
  return kept;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    const text = await readFile(file, "utf8");
    await chmod(file, 0o600);
    return text;
  } catch (error) {
    if (isCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

function keyIn(pem: string): string {
  return (
    /-----BEGIN (?:RSA )?PRIVATE KEY-----[\s\S]+?-----END (?:RSA )?PRIVATE KEY-----/.exec(pem)?.[0] ?? ""
  );
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
