import { Agent } from "node:https";
import type { Readable } from "node:stream";
import axios, { type AxiosInstance, type AxiosResponse } from "axios";
import { BATCH_CONTENT_TYPE, parseBatchAnswer } from "../../domain/wire/batch.ts";
import { DOWNLINK_LINE_MAX_BYTES, parseDownlinkLine } from "../../domain/wire/downlink.ts";
import { parseWelcome } from "../../domain/wire/hello.ts";
import { WireError } from "../../domain/wire/wire-error.ts";
import { type CenterTransport, TransportError, type TransportFaultCode } from "./center-transport.ts";
import type { GatewayIdentity } from "./identity.ts";

/** Bytes of an answer: WELCOME with its cursors is the longest. */
const ANSWER_MAX_BYTES = 16 * 1024 * 1024;
const REQUEST_TIMEOUT_MS = 15_000;
const SOCKETS_MAX = 16;

/** HTTPS with mutual TLS: `identity` proves us, its authority proves the center; nothing else is trusted. */
export function openAxiosTransport(
  centerUrl: string,
  identity: GatewayIdentity,
): CenterTransport & Disposable {
  const tls = { cert: identity.certificate, key: identity.key, ca: identity.authority };
  const agent = new Agent({ ...tls, keepAlive: true, maxSockets: SOCKETS_MAX });
  const streamAgent = new Agent({ ...tls, keepAlive: false, maxSockets: 2 });
  const client = axios.create({
    baseURL: centerUrl,
    httpsAgent: agent,
    // A proxy of the environment is for people's browsers, not for the way to the center.
    proxy: false,
    timeout: REQUEST_TIMEOUT_MS,
    maxRedirects: 0,
    maxContentLength: ANSWER_MAX_BYTES,
    validateStatus: () => true,
  });
  const post = async (path: string, body: unknown, signal: AbortSignal): Promise<unknown> =>
    answerOf(
      path,
      await request(path, signal, () => client.post(path, body, { signal, headers: headersOf(body) })),
    );
  return {
    hello: async (message, signal) => parse("HELLO", () => parseWelcomeOf(message, post, signal)),
    async tellCatalogue(message, signal) {
      await post("/sync/v1/catalogue", message, signal);
    },
    async tellSnapshot(part, signal) {
      await post("/sync/v1/snapshot", part, signal);
    },
    sendBatch: (batch, signal) =>
      parse("batch", async () => parseBatchAnswer(await post("/sync/v1/batch", batch, signal))),
    async heartbeat(message, signal) {
      await post("/sync/v1/heartbeat", message, signal);
    },
    listen: (session, onMessage, signal) => listen(client, streamAgent, { session, onMessage, signal }),
    [Symbol.dispose]() {
      agent.destroy();
      streamAgent.destroy();
    },
  };
}

async function parseWelcomeOf(
  message: unknown,
  post: (path: string, body: unknown, signal: AbortSignal) => Promise<unknown>,
  signal: AbortSignal,
): Promise<ReturnType<typeof parseWelcome>> {
  return parseWelcome(await post("/sync/v1/hello", message, signal));
}

function headersOf(body: unknown): Record<string, string> {
  return { "content-type": body instanceof Uint8Array ? BATCH_CONTENT_TYPE : "application/json" };
}

async function request<Answer>(
  what: string,
  signal: AbortSignal,
  send: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await send();
  } catch (cause) {
    signal.throwIfAborted();
    throw new TransportError(codeOf(cause), `reach the center for ${what}`, { cause: withoutSecrets(cause) });
  }
}

/** Node's TLS errors that mean "not the certificate I expect"; all else is the network. */
const TRUST_CODES = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "CERT_SIGNATURE_FAILURE",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);

function codeOf(error: unknown): TransportFaultCode {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && TRUST_CODES.has(code) ? "not-trusted" : "unreachable";
}

/** Axios errors carry the whole request, keys included (I42). */
function withoutSecrets(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  const { code } = error as { code?: unknown };
  return new Error(typeof code === "string" ? `${error.message} (${code})` : error.message);
}

function answerOf(path: string, response: AxiosResponse<unknown>): unknown {
  if (response.status >= 200 && response.status < 300) return response.data;
  const told = (response.data as { error?: { code?: unknown; message?: unknown } } | null)?.error;
  const message =
    `${path}: the center answered ${response.status} ${typeof told?.message === "string" ? told.message : ""}`.trim();
  if (told?.code === "fence" || told?.code === "rehello") throw new TransportError(told.code, message);
  if (response.status === 401 || response.status === 403) throw new TransportError("refused", message);
  if (response.status === 429 || response.status === 503) throw new TransportError("overloaded", message);
  if (response.status >= 500) throw new TransportError("unreachable", message);
  throw new TransportError("malformed", message);
}

async function parse<Answer>(what: string, work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof WireError)
      throw new TransportError("malformed", `read the answer to ${what}`, { cause });
    throw cause;
  }
}

async function listen(
  client: AxiosInstance,
  httpsAgent: Agent,
  want: {
    readonly session: string;
    readonly onMessage: Parameters<CenterTransport["listen"]>[1];
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { session, onMessage, signal } = want;
  const path = "/sync/v1/downlink";
  const response = await request(path, signal, () =>
    client.get<Readable>(path, {
      params: { session },
      responseType: "stream",
      httpsAgent,
      signal,
      // A stream has no end to bound; each of its lines has, and silence ends it elsewhere.
      maxContentLength: -1,
      decompress: false,
    }),
  );
  if (response.status !== 200) {
    response.data.destroy();
    answerOf(path, { ...response, data: null });
  }
  try {
    await readLines(response.data, (line) => onMessage(parseDownlinkLine(line)));
  } catch (cause) {
    signal.throwIfAborted();
    const code = cause instanceof WireError ? "malformed" : "unreachable";
    throw new TransportError(code, "read the downlink", { cause: withoutSecrets(cause) });
  }
}

async function readLines(stream: Readable, onLine: (line: string) => void): Promise<void> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    rest = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      const line = rest.toString("utf8", 0, end);
      rest = rest.subarray(end + 1);
      if (line !== "") onLine(line);
    }
    if (rest.length > DOWNLINK_LINE_MAX_BYTES) throw new WireError("too-large", "a line of the downlink");
  }
}
