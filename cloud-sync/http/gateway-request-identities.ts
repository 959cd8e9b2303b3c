import { createHash } from "node:crypto";
import { TLSSocket } from "node:tls";
import type { FastifyRequest } from "fastify";
import { GatewayId } from "../../domain/ids.ts";
import type { Queryable } from "../store/database.ts";
import { findCertificateStanding } from "../store/tables/gateways.ts";
import { GatewayProblem } from "./gateway-problem.ts";

/**
 * Who asks, by the certificate of the connection: issued by our authority (TLS has checked signature and dates), for
 * a gateway that stands, not revoked. Looked up at each request, so that a revocation works at once.
 * @throws {GatewayProblem} `authentication`
 */
async function identifyGateway(database: Queryable, request: FastifyRequest): Promise<GatewayId> {
  const socket = request.raw.socket;
  if (!(socket instanceof TLSSocket) || !socket.authorized) {
    throw new GatewayProblem(
      "authentication",
      "show the certificate that this center issued: enrol the gateway",
    );
  }
  const { gatewayId, serial, fingerprint } = shownBy(socket);
  const standing =
    gatewayId === undefined
      ? undefined
      : await findCertificateStanding(database, { gatewayId, serial, fingerprint });
  if (
    gatewayId === undefined ||
    standing === undefined ||
    standing.certificate_revoked !== false ||
    standing.gateway_revoked
  ) {
    throw new GatewayProblem(
      "authentication",
      "this certificate does not count any more: enrol the gateway anew",
    );
  }
  return gatewayId;
}

interface ShownCertificate {
  readonly gatewayId: GatewayId | undefined;
  readonly serial: string;
  readonly fingerprint: string;
}

/** It is the same for as long as the connection stands; to have it parsed costs more than to look it up. */
const SHOWN = new WeakMap<TLSSocket, ShownCertificate>();

function shownBy(socket: TLSSocket): ShownCertificate {
  const known = SHOWN.get(socket);
  if (known !== undefined) return known;
  const { raw, serialNumber, subject } = socket.getPeerCertificate();
  const shown = {
    gatewayId: gatewayIdOf(subject.CN),
    serial: serialNumber.toLowerCase().replace(/^0+/, ""),
    fingerprint: createHash("sha256").update(raw).digest("hex"),
  };
  SHOWN.set(socket, shown);
  return shown;
}

function gatewayIdOf(commonName: unknown): GatewayId | undefined {
  try {
    return typeof commonName === "string" ? GatewayId(commonName) : undefined;
  } catch {
    return undefined;
  }
}

/** Remembers, as long as a request lives, who sent it. */
export class RequestIdentities {
  readonly #database: Queryable;
  readonly #known = new WeakMap<object, GatewayId>();

  constructor(database: Queryable) {
    this.#database = database;
  }

  /** A hook: who has no certificate of ours is turned away before his body is read. */
  readonly onRequest = async (request: FastifyRequest): Promise<void> => {
    this.#known.set(request.raw, await identifyGateway(this.#database, request));
  };

  readonly known = (request: FastifyRequest): GatewayId => {
    const gatewayId = this.#known.get(request.raw);
    if (gatewayId === undefined) throw new GatewayProblem("authentication", "show the gateway's certificate");
    return gatewayId;
  };
}
