import { X509Certificate } from "node:crypto";
import { Agent } from "node:https";
import { isIP } from "node:net";
import { connect, type DetailedPeerCertificate } from "node:tls";
import axios from "axios";
import { type Claim, type EnrolmentAnswer, parseEnrolmentAnswer } from "../../domain/wire/enrolment.ts";
import { WireError } from "../../domain/wire/wire-error.ts";
import { codeOf, withoutSecrets } from "./axios-transport.ts";
import { TransportError } from "./center-transport.ts";
import { isIdentity, makeKey, saveIdentity } from "./identity.ts";

const TIMEOUT_MS = 15_000;

/**
 * Turns a claim into this gateway's identity: the center is recognised by the fingerprint in the claim, the key is
 * made here and stays here. @throws {TransportError} with what to do.
 */
export async function enrol(claim: Claim, dataFolder: string): Promise<void> {
  const authority = await authorityOf(claim);
  const fresh = await makeKey(claim.gatewayId);
  const agent = new Agent({ ca: authority, keepAlive: false });
  try {
    const answer = await redeem(claim, fresh.certificateRequest, agent);
    if (!isIdentity(claim.gatewayId, fresh, answer))
      throw new TransportError(
        "malformed",
        `enrol at ${claim.centerUrl}: what came is no identity for our key`,
      );
    await saveIdentity(dataFolder, fresh, answer);
  } finally {
    agent.destroy();
  }
}

async function redeem(claim: Claim, certificateRequest: string, httpsAgent: Agent): Promise<EnrolmentAnswer> {
  const url = new URL("/enrol/v1", claim.centerUrl).href;
  const body = { gatewayId: claim.gatewayId, code: claim.code, certificateRequest };
  const options = {
    httpsAgent,
    proxy: false,
    timeout: TIMEOUT_MS,
    maxRedirects: 0,
    maxContentLength: 65_536,
    validateStatus: () => true,
  } as const;
  let response: Awaited<ReturnType<typeof axios.post<unknown>>>;
  try {
    response = await axios.post<unknown>(url, body, options);
  } catch (cause) {
    throw new TransportError(codeOf(cause), `enrol at ${url}`, { cause: withoutSecrets(cause) });
  }
  if (response.status === 200) return answerOf(url, response.data);
  const told = (response.data as { error?: { message?: unknown } } | null)?.error?.message;
  const text = typeof told === "string" ? told.slice(0, 300) : `answered ${response.status}`;
  const busy = response.status === 429 || response.status >= 500;
  throw new TransportError(busy ? "overloaded" : "refused", `enrol at ${url}: ${text}`);
}

function answerOf(url: string, data: unknown): EnrolmentAnswer {
  try {
    return parseEnrolmentAnswer(data);
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new TransportError("malformed", `enrol at ${url}`, { cause });
  }
}

/** The authority's certificate that the center shows, if its fingerprint is that of the claim. PEM. */
function authorityOf(claim: Claim): Promise<string> {
  const { hostname, port } = new URL(claim.centerUrl);
  // A URL writes an IPv6 address in brackets, a socket takes it without.
  const host = hostname.replace(/^\[|\]$/g, "");
  return new Promise((resolve, reject) => {
    // Verified below by fingerprint: there is nothing else to trust before enrolment.
    const socket = connect({
      host,
      ...(isIP(host) === 0 && { servername: host }),
      port: Number(port || 443),
      rejectUnauthorized: false,
      timeout: TIMEOUT_MS,
    });
    const fail = (code: "unreachable" | "not-trusted", message: string): void => {
      socket.destroy();
      reject(new TransportError(code, message));
    };
    socket.once("timeout", () =>
      fail("unreachable", `connect to ${claim.centerUrl}: no answer in ${TIMEOUT_MS / 1_000} s`),
    );
    socket.on("error", (error) => fail("unreachable", `connect to ${claim.centerUrl}: ${error.message}`));
    socket.once("secureConnect", () => {
      const pem = pinned(socket.getPeerCertificate(true), claim.authorityFingerprint);
      if (pem === undefined)
        return fail("not-trusted", `${claim.centerUrl} does not show the authority that the claim names`);
      socket.end();
      return resolve(pem);
    });
  });
}

function pinned(leaf: DetailedPeerCertificate, fingerprint: string): string | undefined {
  const seen = new Set<DetailedPeerCertificate>();
  for (
    let each: DetailedPeerCertificate | undefined = leaf;
    each?.raw !== undefined && !seen.has(each);
    each = each.issuerCertificate
  ) {
    seen.add(each);
    const certificate = new X509Certificate(each.raw);
    if (certificate.fingerprint256.replaceAll(":", "").toLowerCase() === fingerprint)
      return certificate.toString();
  }
  return undefined;
}
