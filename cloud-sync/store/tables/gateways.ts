import type { GatewayId } from "../../../domain/ids.ts";
import type { Instant } from "../../../domain/time.ts";
import type { Queryable, Transaction } from "../database.ts";

export interface GatewayRow {
  readonly gateway_no: number;
  readonly gateway_id: GatewayId;
  readonly name: string;
  readonly site_id: string | null;
  readonly site_name: string | null;
  readonly registered_at: Instant;
  readonly enrolled_at: Instant | null;
  readonly revoked_at: Instant | null;
  readonly revoked_reason: string | null;
  readonly catalogue_hash: string | null;
  readonly software: string | null;
}

const COLUMNS =
  "gateway_no, gateway_id, name, site_id, site_name, registered_at, enrolled_at, revoked_at, revoked_reason, catalogue_hash, software";

export async function findGateway(db: Queryable, id: GatewayId): Promise<GatewayRow | undefined> {
  const text = `select ${COLUMNS} from gateways where gateway_id = $1`;
  const [row] = await db.query<GatewayRow>({ name: "gateway-find", text }, [id]);
  return row;
}

/** All gateways in order of their ids. */
export function listGateways(db: Queryable): Promise<readonly GatewayRow[]> {
  const text = `select ${COLUMNS} from gateways order by gateway_id`;
  return db.query<GatewayRow>({ name: "gateway-list", text }, []);
}

/** The gateway's row; made, with its link row, when there is none. */
export async function ensureGateway(
  tx: Transaction,
  gateway: { readonly id: GatewayId; readonly name: string; readonly at: Instant },
): Promise<GatewayRow> {
  await tx.query(
    {
      name: "gateway-ensure",
      text: "insert into gateways (gateway_id, name, registered_at) values ($1, $2, $3) on conflict do nothing",
    },
    [gateway.id, gateway.name, new Date(gateway.at)],
  );
  const row = await findGateway(tx, gateway.id);
  if (row === undefined) throw new Error(`read gateway ${gateway.id} after its insert`);
  await tx.query(
    {
      name: "gateway-ensure-link",
      text: "insert into gateway_links (gateway_no) values ($1) on conflict do nothing",
    },
    [row.gateway_no],
  );
  return row;
}

/** Nobody speaks for it from now on. False: no such gateway. */
export async function revokeGateway(
  db: Queryable,
  revocation: { readonly id: GatewayId; readonly reason: string; readonly at: Instant },
): Promise<boolean> {
  const rows = await db.query<{ gateway_no: number }>(
    {
      name: "gateway-revoke",
      text: "update gateways set revoked_at = $2, revoked_reason = $3 where gateway_id = $1 returning gateway_no",
    },
    [revocation.id, new Date(revocation.at), revocation.reason],
  );
  return rows.length > 0;
}

/** What a request's certificate is held against. */
export interface CertificateStanding {
  readonly gateway_no: number;
  readonly gateway_revoked: boolean;
  /** Null: we never issued this serial to this gateway. */
  readonly certificate_revoked: boolean | null;
}

export async function findCertificateStanding(
  db: Queryable,
  certificate: { readonly gatewayId: GatewayId; readonly serial: string; readonly fingerprint: string },
): Promise<CertificateStanding | undefined> {
  const [row] = await db.query<CertificateStanding>(
    {
      name: "certificate-standing",
      text: `select g.gateway_no, g.revoked_at is not null as gateway_revoked,
               case when c.serial is null then null else c.revoked_at is not null end as certificate_revoked
             from gateways g left join gateway_certificates c
               on c.gateway_no = g.gateway_no and c.serial = $2 and c.fingerprint = $3
             where g.gateway_id = $1`,
    },
    [certificate.gatewayId, certificate.serial, certificate.fingerprint],
  );
  return row;
}

export interface NewCertificate {
  readonly gatewayNo: number;
  readonly serial: string;
  /** SHA-256 of the DER, hexadecimal. */
  readonly fingerprint: string;
  /** SHA-256 of the public key's SPKI, hexadecimal. */
  readonly keyFingerprint: string;
  readonly issuedAt: Instant;
  readonly expiresAt: Instant;
}

/** Enrols: the certificate is good, all others with another key are not any more, and a revocation of the gateway ends. */
export async function enrolCertificate(tx: Transaction, certificate: NewCertificate): Promise<void> {
  const { gatewayNo, issuedAt } = certificate;
  await tx.query(
    {
      name: "certificate-retire",
      text: "update gateway_certificates set revoked_at = $2 where gateway_no = $1 and key_fingerprint <> $3 and revoked_at is null",
    },
    [gatewayNo, new Date(issuedAt), certificate.keyFingerprint],
  );
  await tx.query(
    {
      name: "certificate-add",
      text: `insert into gateway_certificates (serial, gateway_no, fingerprint, key_fingerprint, issued_at, expires_at)
             values ($1, $2, $3, $4, $5, $6)`,
    },
    [
      certificate.serial,
      gatewayNo,
      certificate.fingerprint,
      certificate.keyFingerprint,
      new Date(issuedAt),
      new Date(certificate.expiresAt),
    ],
  );
  await tx.query(
    {
      name: "gateway-enrolled",
      text: "update gateways set enrolled_at = $2, revoked_at = null, revoked_reason = null where gateway_no = $1",
    },
    [gatewayNo, new Date(issuedAt)],
  );
}
