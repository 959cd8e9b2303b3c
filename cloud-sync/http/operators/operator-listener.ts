import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import swagger from "@fastify/swagger";
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from "fastify";
import type { Logger } from "pino";
import { type Clock, Seconds } from "../../../domain/time.ts";
import type { AccessTokens } from "../../access/access-tokens.ts";
import type { LiveLinks } from "../../registry/live-links.ts";
import type { CenterEvents } from "../../store/center-events.ts";
import { type Database, isDataRefusal } from "../../store/database.ts";
import { addConsoleRoutes } from "../console-routes.ts";
import { serveConsole } from "../console-static.ts";
import { type AlarmRouteParts, addAlarmRoutes } from "./alarm-routes.ts";
import { addCommandRoutes, type CommandRouteParts } from "./command-routes.ts";
import { addCompletenessRoute } from "./completeness-route.ts";
import { addPageRoutes } from "./docs/page-routes.ts";
import type { EventHub } from "./event-hub.ts";
import { addEventRoute } from "./event-route.ts";
import { addGatewayRoutes, type GatewayRouteParts } from "./gateway-routes.ts";
import { addHistoryRoute } from "./history-route.ts";
import { OperatorGuard } from "./operator-guard.ts";
import { OPERATOR_PROBLEMS, OperatorProblem, type OperatorProblemCode } from "./operator-problem.ts";
import { addReadRoute, type ReadRouteParts } from "./read-route.ts";
import { addTokenRoutes } from "./token-routes.ts";
import { addWatchRoutes } from "./watch-routes.ts";

export interface OperatorListenerParts
  extends GatewayRouteParts,
    CommandRouteParts,
    ReadRouteParts,
    AlarmRouteParts {
  readonly database: Database;
  readonly events: CenterEvents;
  readonly links: LiveLinks;
  readonly tokens: AccessTokens;
  readonly hub: EventHub;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface OperatorListenerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** PEM; null: plain HTTP, on loopback only. */
  readonly tls: { readonly key: string; readonly certificate: string } | null;
}

export interface OperatorListener extends AsyncDisposable {
  readonly port: number;
}

const BODY_MAX_BYTES = 64 * 1024;

/** The operators' HTTP interface and the console. @throws when the port can not be had: the message names it */
export async function openOperatorListener(
  parts: OperatorListenerParts,
  options: OperatorListenerOptions,
): Promise<OperatorListener> {
  const { clock, logger } = parts;
  const app = buildApp(options, logger);
  await addRoutes(app, parts);
  try {
    await app.listen({ host: options.host, port: options.port });
  } catch (cause) {
    throw new Error(`listen for operators on ${options.host} port ${options.port}`, { cause });
  }
  const address = app.server.address();
  const port = typeof address === "object" && address !== null ? address.port : options.port;
  logger.info({ host: options.host, port }, "listening for operators");
  return {
    port,
    async [Symbol.asyncDispose]() {
      // Event streams never end by themselves.
      const cancel = clock.schedule(Seconds(1), () => app.server.closeAllConnections());
      await app.close();
      cancel();
    },
  };
}

function buildApp({ tls }: OperatorListenerOptions, logger: Logger): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: BODY_MAX_BYTES,
    forceCloseConnections: "idle",
    routerOptions: { maxParamLength: 200 },
    serverFactory: (handler) => {
      const server =
        tls === null
          ? createServer(handler)
          : createTlsServer({ key: tls.key, cert: tls.certificate }, handler);
      server.requestTimeout = Seconds(30);
      server.keepAliveTimeout = Seconds(75);
      return server;
    },
  });
  // Input is parsed by its zod schema in the operation; these schemas only describe it.
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.setErrorHandler<FastifyError>((error, request, reply) =>
    answerError(error, reply, { logger, method: request.method, url: request.routeOptions.url ?? "" }),
  );
  app.setNotFoundHandler((_request, reply) =>
    reply.status(404).send({ error: { code: "not-found", message: "there is no such route: see /docs" } }),
  );
  app.addHook("onSend", async (request, reply) => {
    reply.header("x-content-type-options", "nosniff");
    if (request.url.startsWith("/api/")) reply.header("cache-control", "no-store");
  });
  return app;
}

async function addRoutes(app: FastifyInstance, parts: OperatorListenerParts): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.0.3",
      info: {
        title: "Nerve center",
        description:
          "State, commands and events of the city's gateways. Times are milliseconds since 1970-01-01T00:00:00Z.",
        version: "1",
      },
      components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
    },
  });
  const { tokens, clock, database, hub } = parts;
  const guard = new OperatorGuard(tokens, clock);
  addWatchRoutes(app, guard, { database, watchers: () => hub.watchers });
  addGatewayRoutes(app, guard, parts);
  addAlarmRoutes(app, guard, parts);
  addCompletenessRoute(app, guard, parts);
  addCommandRoutes(app, guard, parts);
  addReadRoute(app, guard, parts);
  addHistoryRoute(app, guard, parts);
  addEventRoute(app, guard, parts);
  addTokenRoutes(app, guard, tokens);
  addPageRoutes(app);
  addConsoleRoutes(app, { ...parts, guard });
  if (serveConsole(app) === "not-built")
    parts.logger.warn("the console is not built: npm run build makes it");
}

interface Answer {
  readonly code: OperatorProblemCode;
  readonly message: string;
  readonly pointer?: string | undefined;
}

function answerError(
  error: FastifyError,
  reply: FastifyReply,
  context: { readonly logger: Logger; readonly method: string; readonly url: string },
): FastifyReply {
  const { code, message, pointer } = describe(error);
  const status = OPERATOR_PROBLEMS[code];
  const { logger, method, url } = context;
  if (status >= 500) logger.error({ err: error, method, url }, "an operator's request failed");
  if (status === 401) reply.header("www-authenticate", 'Bearer realm="nerve"');
  if (status === 429) reply.header("retry-after", "60");
  return reply.status(status).send({ error: { code, message, ...(pointer !== undefined && { pointer }) } });
}

function describe(error: FastifyError): Answer {
  if (error instanceof OperatorProblem) return error;
  if (isDataRefusal(error)) {
    return { code: "bad-request", message: "holds a character or a number that can not be stored" };
  }
  const { statusCode } = error;
  if (statusCode === 413)
    return { code: "too-large", message: `a body has at most ${BODY_MAX_BYTES / 1_024} KiB` };
  if (statusCode === 415) return { code: "wrong-media-type", message: "send application/json" };
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return { code: "bad-request", message: error.message, pointer: "" };
  return { code: "unavailable", message: "the center can not do this now: see its log, and try again" };
}
