import { TLSSocket } from "node:tls";
import fastify, { type FastifyError, type FastifyReply } from "fastify";
import type { Logger } from "pino";
import { type CancelTimer, Hours, Seconds } from "../../domain/time.ts";
import { WireError } from "../../domain/wire/wire-error.ts";
import type { CertificateAuthority, ServerIdentity } from "../registry/certificate-authority.ts";
import { isDataRefusal } from "../store/database.ts";
import { GATEWAY_PROBLEMS, GatewayProblem, type GatewayProblemCode } from "./gateway-problem.ts";
import { addGatewayRoutes, type GatewayApp, type GatewayRouteParts } from "./gateway-routes.ts";
import { guardAgainstStrangers } from "./gateway-stranger-guard.ts";

export interface GatewayListenerParts extends GatewayRouteParts {
  readonly authority: CertificateAuthority;
}

export interface GatewayListenerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Names and addresses under which gateways reach this center, beside those of the machine itself. */
  readonly names: readonly string[];
}

export interface GatewayListener extends AsyncDisposable {
  readonly port: number;
  /** Connections that have shown no certificate of ours. */
  readonly strangers: () => number;
}

const CERTIFICATE_LOOK = Hours(1);
/** A header may take this long, and 1 MiB over 64 kbit/s this long; a stranger has 10 s for all. */
const HEADER_PATIENCE = Seconds(15);
const REQUEST_PATIENCE = Seconds(180);
const KEEP_ALIVE = Seconds(75);

/**
 * HTTPS for gateways: mutual TLS with certificates of our own authority; only `/enrol/v1` is open to others.
 * @throws when the port can not be had: the message names it
 */
export async function openGatewayListener(
  parts: GatewayListenerParts,
  options: GatewayListenerOptions,
): Promise<GatewayListener> {
  const { authority, clock, logger } = parts;
  const identity = await authority.serverIdentity(options.names);
  const app = buildApp(parts, identity);
  const guard = guardAgainstStrangers(app.server, clock);
  try {
    await app.listen({ host: options.host, port: options.port });
  } catch (cause) {
    throw new Error(
      `listen for gateways on ${options.host} port ${options.port}: another program may hold it, give the gateways' listener another port`,
      { cause },
    );
  }
  const address = app.server.address();
  const port = typeof address === "object" && address !== null ? address.port : options.port;
  const stopRenewal = renewByPeriod(app, { parts, identity, names: options.names });
  logger.info({ host: options.host, port }, "listening for gateways");
  return {
    port,
    strangers: guard.count,
    async [Symbol.asyncDispose]() {
      stopRenewal();
      parts.downlinks.closeAll("the center is stopping");
      const cancel = clock.schedule(Seconds(2), () => app.server.closeAllConnections());
      await app.close();
      cancel();
    },
  };
}

function buildApp(parts: GatewayListenerParts, identity: ServerIdentity): GatewayApp {
  const app = fastify({
    https: {
      ...secureContext(identity, parts.authority),
      requestCert: true,
      // Refused by route, with words: a stranger may still redeem a claim.
      rejectUnauthorized: false,
      minVersion: "TLSv1.2",
      handshakeTimeout: Seconds(10),
    },
    logger: false,
    bodyLimit: 64 * 1024,
    requestTimeout: REQUEST_PATIENCE,
    keepAliveTimeout: KEEP_ALIVE,
    forceCloseConnections: "idle",
  });
  // A stranger asks once a connection: one header and one small body bound what he sends.
  app.addHook("onRequest", async (request, reply) => {
    const { socket } = request.raw;
    if (!(socket instanceof TLSSocket && socket.authorized)) reply.header("connection", "close");
  });
  app.server.headersTimeout = HEADER_PATIENCE;
  app.setErrorHandler<FastifyError>((error, request, reply) =>
    answerError(error, reply, { logger: parts.logger, url: request.url }),
  );
  app.setNotFoundHandler((_request, reply) =>
    reply.status(404).send({ error: { code: "not-found", message: "no such route for gateways" } }),
  );
  addGatewayRoutes(app, parts);
  return app;
}

function secureContext(
  identity: ServerIdentity,
  authority: CertificateAuthority,
): { readonly key: string; readonly cert: string; readonly ca: string } {
  return { key: identity.key, cert: identity.certificate, ca: authority.certificate };
}

/** A certificate that nears its end is replaced without a restart. */
function renewByPeriod(
  app: GatewayApp,
  held: {
    readonly parts: GatewayListenerParts;
    readonly identity: ServerIdentity;
    readonly names: readonly string[];
  },
): CancelTimer {
  const { authority, clock, logger } = held.parts;
  let { certificate } = held.identity;
  let cancel: CancelTimer = () => undefined;
  const look = async (): Promise<void> => {
    const identity = await authority.serverIdentity(held.names);
    if (identity.certificate === certificate) return;
    ({ certificate } = identity);
    app.server.setSecureContext(secureContext(identity, authority));
    logger.info("the gateway listener shows a new certificate");
  };
  const again = (): void => {
    cancel = clock.schedule(CERTIFICATE_LOOK, () => {
      look()
        .catch((err: unknown) => logger.error({ err }, "the listener's certificate could not be renewed"))
        .finally(again);
    });
  };
  again();
  return () => cancel();
}

function answerError(
  error: FastifyError,
  reply: FastifyReply,
  context: { readonly logger: Logger; readonly url: string },
): FastifyReply {
  const { code, message, pointer } = describe(error);
  const status = GATEWAY_PROBLEMS[code];
  if (status >= 500) context.logger.error({ err: error, url: context.url }, "a gateway's request failed");
  return reply.status(status).send({ error: { code, message, ...(pointer !== undefined && { pointer }) } });
}

function describe(error: FastifyError): {
  readonly code: GatewayProblemCode;
  readonly message: string;
  readonly pointer?: string;
} {
  if (error instanceof GatewayProblem) return { code: error.code, message: error.message };
  if (error instanceof WireError) {
    const pointer = / at (\/[^:\s]*)/.exec(error.message)?.[1];
    return { code: "bad-request", message: error.message, ...(pointer !== undefined && { pointer }) };
  }
  if (isDataRefusal(error))
    return { code: "bad-request", message: "a text or number that can not be stored" };
  if (error instanceof RangeError) return { code: "bad-request", message: error.message };
  // Fastify's own: body too large, no JSON, wrong content type.
  if (error.statusCode !== undefined && error.statusCode < 500)
    return { code: "bad-request", message: error.message };
  return { code: "unavailable", message: "the center can not take this now: send it again" };
}
