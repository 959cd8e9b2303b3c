import { createHash, X509Certificate } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { StatusCodes } from "node-opcua-client";
import { DeviceFault } from "../../domain/errors.ts";
import type { ChannelSecurity } from "./bus-config.ts";

type Secured = Exclude<ChannelSecurity, { readonly mode: "none" }>;

/** Most files read from a trust folder: beyond any site, and the rest is told. */
const TRUSTED_FILES_MAX = 1_000;

/**
 * The installer decides whom the gateway talks to; nothing is trusted at first sight. A fingerprint names one
 * certificate, so its dates and issuer are not asked: a gateway without a clock must still find its cabinet.
 * @throws {DeviceFault} `connection-lost` with the fingerprint and what to do.
 */
export async function requireTrusted(
  certificate: Buffer,
  security: Secured,
  endpoint: string,
): Promise<void> {
  const shown = fingerprintOf(certificate);
  if (security.trustedServers.includes(plainHex(shown))) return;
  if (security.trustFolder !== undefined && (await trustedIn(security.trustFolder)).has(shown)) return;
  const cause = new Error(
    `the server ${subjectOf(certificate)} shows a certificate that nobody has trusted. If its SHA-256 fingerprint is the one on the cabinet's own display or paper, add it to the bus: trustedServer: "${shown}"`,
  );
  throw new DeviceFault("connection-lost", `trust ${endpoint}`, { cause });
}

/** Upper-case pairs with colons, as people compare them. */
export function fingerprintOf(certificate: Buffer): string {
  const hex = createHash("sha256").update(certificate).digest("hex").toUpperCase();
  return hex.match(/../g)?.join(":") ?? hex;
}

/** Asked by the library for its own certificate too; the server's was looked at before the channel was opened to it. */
export class DecidedTrust {
  referenceCounter = 0;

  async initialize(): Promise<void> {}

  async dispose(): Promise<void> {}

  async checkCertificate() {
    return StatusCodes.Good;
  }

  async verifyCertificate(): Promise<string> {
    return "Good";
  }

  async trustCertificate(): Promise<void> {}

  async rejectCertificate(): Promise<void> {}

  async getTrustStatus() {
    return StatusCodes.Good;
  }

  async addIssuer(): Promise<void> {}

  async addRevocationList(): Promise<void> {}
}

async function trustedIn(folder: string): Promise<ReadonlySet<string>> {
  const names = await namesIn(folder);
  const trusted = new Set<string>();
  for (const name of names.slice(0, TRUSTED_FILES_MAX)) {
    const bytes = await readFile(join(folder, name));
    trusted.add(fingerprintOf(derOf(bytes, join(folder, name))));
  }
  return trusted;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    const names = await readdir(folder);
    return names.filter((name) => [".der", ".crt", ".cer", ".pem"].includes(extname(name))).toSorted();
  } catch (cause) {
    throw new DeviceFault(
      "connection-lost",
      `read the trust folder ${folder}: make it, or mend trustFolder`,
      { cause },
    );
  }
}

function derOf(bytes: Buffer, file: string): Buffer {
  try {
    return new X509Certificate(bytes).raw;
  } catch (cause) {
    throw new DeviceFault(
      "connection-lost",
      `read ${file}: it is no certificate, remove it from the trust folder`,
      { cause },
    );
  }
}

function subjectOf(certificate: Buffer): string {
  try {
    return new X509Certificate(certificate).subject.replaceAll("\n", ", ");
  } catch {
    return "(unreadable subject)";
  }
}

function plainHex(fingerprint: string): string {
  return fingerprint.replaceAll(":", "").toLowerCase();
}
