import { z } from "zod";
import { parseMessage } from "./parse-json.ts";

/**
 * A claim is what the center hands to the installer for one gateway: where the center is, the fingerprint of its
 * certificate authority, and a code that works once. One line of text: `nerve-claim-1.` and base64url JSON.
 */
const CLAIM_PREFIX = "nerve-claim-1.";
const claim = z.looseObject({
  gatewayId: z.string().max(64),
  /** `https://host:port` of the gateway listener. */
  centerUrl: z.url().startsWith("https://").max(300),
  /** SHA-256 of the authority's certificate (DER), hexadecimal: pins the first connection. */
  authorityFingerprint: z.string().regex(/^[0-9a-f]{64}$/),
  code: z.string().regex(/^[0-9a-z-]{16,64}$/),
});
export type Claim = z.infer<typeof claim>;

export function formatClaim(content: Claim): string {
  return CLAIM_PREFIX + Buffer.from(JSON.stringify(content)).toString("base64url");
}

/** @throws {WireError} if the text is not a whole claim: it was cut or mistyped. */
export function parseClaim(text: string): Claim {
  const trimmed = text.trim();
  let data: unknown = null;
  if (trimmed.startsWith(CLAIM_PREFIX)) {
    try {
      data = JSON.parse(Buffer.from(trimmed.slice(CLAIM_PREFIX.length), "base64url").toString("utf8"));
    } catch {
      data = null;
    }
  }
  return parseMessage("claim", claim, data);
}

const enrolmentRequest = z.looseObject({
  gatewayId: z.string().max(64),
  code: z.string().max(64),
  /** PKCS #10, PEM: the key never leaves the gateway. */
  certificateRequest: z.string().max(8_192),
});
/** `POST /enrol/v1`, over TLS without a client certificate. */
export type EnrolmentRequest = z.infer<typeof enrolmentRequest>;

const enrolmentAnswer = z.looseObject({
  /** PEM. */
  certificate: z.string().max(16_384),
  /** PEM of the certificate authority. */
  authority: z.string().max(16_384),
  /** PEM (SPKI) of the command authority's Ed25519 key: what orders are checked with. */
  commandKey: z.string().max(1_024),
  /** PEM (SPKI) of the Ed25519 key that signs the center's time. */
  timeKey: z.string().max(1_024),
});
export type EnrolmentAnswer = z.infer<typeof enrolmentAnswer>;

/** @throws {WireError} */
export function parseEnrolmentRequest(data: unknown): EnrolmentRequest {
  return parseMessage("enrolment request", enrolmentRequest, data);
}

/** @throws {WireError} */
export function parseEnrolmentAnswer(data: unknown): EnrolmentAnswer {
  return parseMessage("enrolment answer", enrolmentAnswer, data);
}
