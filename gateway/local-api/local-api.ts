import Fastify, { type FastifyError, type FastifyInstance } from "fastify";
import type { LoopService } from "../../domain/service.ts";
import { Seconds } from "../../domain/time.ts";
import { StoreError } from "../store/store.ts";
import { API_VERSION, type ErrorAnswer } from "./client/answers.ts";
import { LocalApiClient } from "./client.ts";
import { LOCAL_API_FAULTS, LocalApiFault } from "./local-api-fault.ts";
import type { LocalApiParts } from "./local-api-parts.ts";
import { addRoutes } from "./routes.ts";
import { claimSocket, type SocketClaim } from "./socket-claim.ts";

const BODY_MAX_BYTES = 64 * 1024;
/** One more is closed at once. */
const CONNECTIONS_MAX = 64;
/** For a whole request to arrive. */
const REQUEST_TIMEOUT_MS = 10_000;

/** HTTP over a unix socket for the CLI and the on-site page; open from the start, closed when `run` ends or it is disposed. */
export class LocalApi implements LoopService, AsyncDisposable {
  readonly name = "local API";
  readonly #app: FastifyInstance;
  readonly #claim: SocketClaim;
  readonly #stopping: AbortController;
  #closed: Promise<void> | undefined;

  constructor(app: FastifyInstance, claim: SocketClaim, stopping: AbortController) {
    this.#app = app;
    this.#claim = claim;
    this.#stopping = stopping;
  }

  get socketPath(): string {
    return this.#claim.path;
  }

  async run(signal: AbortSignal): Promise<void> {
    if (!signal.aborted) {
      await new Promise<void>((resolve) => {
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    }
    await this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    await this.#closed;
  }

  async #close(): Promise<void> {
    this.#stopping.abort(new Error("the gateway is stopping"));
    await this.#claim[Symbol.asyncDispose]();
    await this.#app.close();
  }
}

/** Listens on the socket of the site's data folder. @throws {SocketError} with what to do. */
export async function openLocalApi(parts: LocalApiParts): Promise<LocalApi> {
  const stopping = new AbortController();
  const app = buildApp(parts, stopping.signal);
  const claim = await claimSocket(parts.site.dataFolder, (path) => nameOwner(path, parts));
  try {
    await app.listen({ path: claim.bindPath });
    await claim.publish();
  } catch (error) {
    await app.close();
    await claim[Symbol.asyncDispose]();
    throw error;
  }
  return new LocalApi(app, claim, stopping);
}

function buildApp(parts: LocalApiParts, stopping: AbortSignal): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: BODY_MAX_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Waiting requests answer when `stopping` aborts; idle connections are not worth waiting for.
    forceCloseConnections: "idle",
    // Told below, in our own words.
    return503OnClosing: false,
  });
  app.server.maxConnections = CONNECTIONS_MAX;
  app.addHook("onRequest", (_request, reply, done) => {
    void reply.header("nerve-api", API_VERSION);
    done(stopping.aborted ? new LocalApiFault("shutting-down", "the gateway is stopping") : undefined);
  });
  app.setErrorHandler((error: FastifyError | LocalApiFault, request, reply) => {
    const fault = faultOf(error);
    if (fault.code === "internal")
      parts.logger.error(
        { err: error, method: request.method, url: request.url },
        "local API request failed",
      );
    void reply.code(LOCAL_API_FAULTS[fault.code].status).send(errorAnswer(fault));
  });
  app.setNotFoundHandler((request, reply) => {
    const fault = new LocalApiFault("unknown-route", `no route ${request.method} ${request.url}`);
    void reply.code(404).send(errorAnswer(fault));
  });
  addRoutes(app, parts, stopping);
  return app;
}

function faultOf(error: FastifyError | LocalApiFault): LocalApiFault {
  if (error instanceof LocalApiFault) return error;
  const { statusCode } = error;
  // What Fastify itself refuses: a body that is no JSON, too long or of another media type.
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return new LocalApiFault("bad-request", error.message, { pointer: "", cause: error });
  if (error instanceof StoreError)
    return new LocalApiFault("store-unavailable", "the store could not be read", { cause: error });
  return new LocalApiFault("internal", "the gateway could not answer", { cause: error });
}

function errorAnswer({ code, message, pointer }: LocalApiFault): ErrorAnswer {
  return { error: { code, message, ...(pointer !== undefined && { pointer }) } };
}

async function nameOwner(socketPath: string, { clock }: LocalApiParts): Promise<string> {
  try {
    const { signal } = new AbortController();
    const client = new LocalApiClient({ socketPath, timeout: Seconds(2), clock, signal });
    const { gatewayId, pid } = await client.status();
    return `gateway ${gatewayId}, process ${pid},`;
  } catch {
    return "another process that does not say who it is";
  }
}
