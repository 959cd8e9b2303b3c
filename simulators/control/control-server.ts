import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Endpoint } from "../endpoint.ts";
import { InvalidField } from "../input-fields.ts";
import type { SimulatedWorld } from "../simulated-world.ts";
import type { ControlAnswer } from "./control-answer.ts";
import { answerControl } from "./control-routes.ts";

const MAX_BODY_BYTES = 65_536;

/** Opens the HTTP control API. @throws the system's error when it can not be bound. */
export async function openControlServer(listen: Endpoint, world: SimulatedWorld): Promise<ControlServer> {
  const server = createServer((request, response) => {
    const send = (answer: ControlAnswer): void => {
      response.writeHead(answer.status, { "content-type": "application/json" });
      response.end(`${JSON.stringify(answer.body)}\n`);
    };
    answerHttp(request, world).then(send, (cause: unknown) => send(failure(cause)));
  });
  server.listen({ host: listen.host, port: listen.port });
  await once(server, "listening");
  return new ControlServer(server);
}

/** JSON over HTTP on loopback, for tests and for the city. */
export class ControlServer implements AsyncDisposable {
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
  }

  get address(): Endpoint {
    const bound = this.#server.address();
    if (bound === null || typeof bound === "string") throw new Error("the control server is closed");
    return { host: bound.address, port: bound.port };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

class BodyTooLarge extends Error {
  override readonly name = "BodyTooLarge";
}

async function answerHttp(request: IncomingMessage, world: SimulatedWorld): Promise<ControlAnswer> {
  const url = new URL(request.url ?? "/", "http://localhost");
  const path = url.pathname.split("/").filter((part) => part !== "");
  const body = parseBody(await readBody(request));
  return answerControl(world, {
    method: request.method ?? "GET",
    path,
    query: new Map(url.searchParams),
    body,
  });
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES) throw new BodyTooLarge(`more than ${MAX_BODY_BYTES} bytes`);
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseBody(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidField("", "JSON");
  }
}

function failure(cause: unknown): ControlAnswer {
  if (cause instanceof InvalidField) {
    return { status: 400, body: { error: { field: cause.pointer, message: cause.message } } };
  }
  if (cause instanceof BodyTooLarge) return { status: 413, body: { error: { message: cause.message } } };
  if (cause instanceof RangeError) return { status: 409, body: { error: { message: cause.message } } };
  const message = cause instanceof Error ? cause.message : String(cause);
  return { status: 500, body: { error: { message } } };
}
