import { createHash, randomInt } from "node:crypto";
import type { GatewayId } from "../../domain/ids.ts";
import { type Clock, Hours, type Instant } from "../../domain/time.ts";
import { type EnrolmentAnswer, type EnrolmentRequest, formatClaim } from "../../domain/wire/enrolment.ts";
import type { Database, Transaction } from "../store/database.ts";
import { appendAudit } from "../store/tables/center-audit.ts";
import { addClaim, lockClaim, useClaim } from "../store/tables/claims.ts";
import { enrolCertificate, ensureGateway, revokeGateway } from "../store/tables/gateways.ts";
import type { CertificateAuthority, IssuedCertificate } from "./certificate-authority.ts";
import type { DownlinkRegistry } from "./downlinks.ts";

const CLAIM_LIFE = Hours(24);
const CODE_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";
const CODE_LENGTH = 26;

export interface EnrolmentParts {
  readonly database: Database;
  readonly authority: CertificateAuthority;
  readonly clock: Clock;
  /** SPKI, PEM. */
  readonly commandKey: string;
  /** SPKI, PEM. */
  readonly timeKey: string;
  readonly downlinks: Pick<DownlinkRegistry, "close">;
}

/** One line of text for the installer, shown once: the center keeps the hash of its code. */
export interface MadeClaim {
  readonly claim: string;
  readonly expiresAt: Instant;
}

/** Claims become gateways' certificates. */
export class Enrolment {
  readonly #parts: EnrolmentParts;

  constructor(parts: EnrolmentParts) {
    this.#parts = parts;
  }

  /** A claim for this gateway, good for 24 h and one key. Registers the gateway if it is new. */
  async makeClaim(asked: {
    readonly gatewayId: GatewayId;
    readonly name: string;
    /** `https://host:port` of the gateway listener, as the gateway will reach it. */
    readonly centerUrl: string;
    readonly madeBy: string;
  }): Promise<MadeClaim> {
    const { database, authority, clock } = this.#parts;
    const { gatewayId, centerUrl, madeBy } = asked;
    const code = Array.from({ length: CODE_LENGTH }, () => CODE_LETTERS[randomInt(CODE_LETTERS.length)]).join(
      "",
    );
    const at = clock.now();
    const expiresAt = (at + CLAIM_LIFE) as Instant;
    await database.transaction(async (tx) => {
      const gateway = await ensureGateway(tx, { id: gatewayId, name: asked.name, at });
      await addClaim(tx, {
        codeHash: hashOf(code),
        gatewayNo: gateway.gateway_no,
        createdBy: madeBy,
        at,
        expiresAt,
      });
      const detail = { centerUrl, expiresAtMs: expiresAt };
      await appendAudit(tx, { at, actor: madeBy, action: "claim-made", subject: gatewayId, detail });
    });
    return {
      claim: formatClaim({ gatewayId, centerUrl, authorityFingerprint: authority.fingerprint, code }),
      expiresAt,
    };
  }

  /**
   * Turns a claim and a request into a certificate. `refused`: the claim is unknown, expired, used by another key or
   * for another gateway; which one is not told to strangers. @throws {RangeError} for a request that can not be used
   */
  async redeem(request: EnrolmentRequest, from: string): Promise<EnrolmentAnswer | "refused"> {
    const { database, authority } = this.#parts;
    return database.transaction(async (tx) => {
      const codeHash = hashOf(request.code);
      const claim = await lockClaim(tx, codeHash);
      const now = this.#parts.clock.now();
      if (claim === undefined || claim.gateway_id !== request.gatewayId || claim.expires_at < now)
        return "refused";
      const issued = await authority.issueGateway(claim.gateway_id, request.certificateRequest);
      if (claim.used_by_key !== null && claim.used_by_key !== issued.keyFingerprint) return "refused";
      await this.#enrol(tx, {
        issued,
        codeHash,
        gatewayNo: claim.gateway_no,
        gatewayId: claim.gateway_id,
        from,
        now,
      });
      const { commandKey, timeKey } = this.#parts;
      return { certificate: issued.certificate, authority: authority.certificate, commandKey, timeKey };
    });
  }

  /** Nobody speaks for the gateway any more, until it is enrolled anew. False: no such gateway. */
  async revoke(asked: {
    readonly gatewayId: GatewayId;
    readonly reason: string;
    readonly by: string;
  }): Promise<boolean> {
    const { clock, database, downlinks } = this.#parts;
    const { gatewayId, reason } = asked;
    const at = clock.now();
    const revoked = await database.transaction(async (tx) => {
      if (!(await revokeGateway(tx, { id: gatewayId, reason, at }))) return false;
      const entry = { action: "gateway-revoked", subject: gatewayId, detail: { reason } };
      await appendAudit(tx, { at, actor: asked.by, ...entry });
      return true;
    });
    if (revoked) downlinks.close(gatewayId, "the gateway was revoked");
    return revoked;
  }

  async #enrol(
    tx: Transaction,
    enrolled: {
      readonly issued: IssuedCertificate;
      readonly codeHash: string;
      readonly gatewayNo: number;
      readonly gatewayId: GatewayId;
      readonly from: string;
      readonly now: Instant;
    },
  ): Promise<void> {
    const { issued, codeHash, gatewayNo, gatewayId, from, now } = enrolled;
    await useClaim(tx, { codeHash, keyFingerprint: issued.keyFingerprint, at: now });
    await enrolCertificate(tx, { ...issued, gatewayNo, issuedAt: now });
    const detail = { serial: issued.serial, fingerprint: issued.fingerprint, from };
    await appendAudit(tx, {
      at: now,
      actor: `gateway/${gatewayId}`,
      action: "gateway-enrolled",
      subject: gatewayId,
      detail,
    });
  }
}

function hashOf(code: string): string {
  return createHash("sha256").update(`nerve-claim:v1:${code}`).digest("hex");
}
