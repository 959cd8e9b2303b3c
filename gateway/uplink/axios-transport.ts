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
/** A catalogue is stored whole before it is answered; meanwhile heartbeats on both ways prove the link. */
const CATALOGUE_TIMEOUT_MS = 120_000;
const CATALOGUE_PATH = "/sync/v1/catalogue";
const SOCKETS_MAX = 16;
/** Of a refused downlink, and of what the center says about a refusal. */
const REFUSAL_MAX_BYTES = 64 * 1024;
const REFUSAL_TEXT_MAX = 300;

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
      await request(path, signal, () =>
        client.post(path, bodyOf(body), {
          signal,
          headers: { ...headersOf(body), ...(path === CATALOGUE_PATH && CLOSING) },
          timeout: timeoutOf(path),
        }),
      ),
    );
  return {
    hello: async (message, signal) => parse("HELLO", () => parseWelcomeOf(message, post, signal)),
    async tellCatalogue(message, signal) {
      await post(CATALOGUE_PATH, message, signal);
    },
    async tellSnapshot(part, signal) {
      await post("/sync/v1/snapshot", part, signal);
    },
    sendBatch: (batch, signal) =>
      parse("batch", async () => parseBatchAnswer(await post("/sync/v1/batch", batch, signal))),
    async heartbeat(message, signal) {
      await post("/sync/v1/heartbeat", message, signal);
    },
    async tellRead(report, signal) {
      await post("/sync/v1/read", report, signal);
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

/** A connection that is kept holds on to its last request: of the largest catalogue 6 MB. */
const CLOSING = { connection: "close" };

function timeoutOf(path: string): number {
  return path === CATALOGUE_PATH ? CATALOGUE_TIMEOUT_MS : REQUEST_TIMEOUT_MS;
}

/** Of a view axios would send the whole memory behind it. */
function bodyOf(body: unknown): unknown {
  return body instanceof Uint8Array ? Buffer.from(body.buffer, body.byteOffset, body.byteLength) : body;
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

/** Node's TLS errors that mean "not the certificate I expect". */
const TRUST_CODES = new Set([
  "UNABLE_TO_GET_ISSUER_CERT",
  "CERT_UNTRUSTED",
  "CERT_REJECTED",
  "CERT_REVOKED",
  "INVALID_CA",
  "INVALID_PURPOSE",
  "HOSTNAME_MISMATCH",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "CERT_SIGNATURE_FAILURE",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);

/** The other side's TLS alert about our certificate. */
const REFUSED_CODE = /^ERR_SSL_.*ALERT.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/;

/** What an error of axios, TLS or the network means; what is in no list is the network. */
export function codeOf(error: unknown): TransportFaultCode {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code !== "string") return "unreachable";
  if (TRUST_CODES.has(code)) return "not-trusted";
  if (REFUSED_CODE.test(code)) return "refused";
  // An answer longer than we take.
  return code === "ERR_BAD_RESPONSE" ? "malformed" : "unreachable";
}

/** Axios errors carry the whole request, keys included (I42). */
export function withoutSecrets(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  const { code } = error as { code?: unknown };
  return new Error(typeof code === "string" ? `${error.message} (${code})` : error.message);
}

function answerOf(path: string, response: AxiosResponse<unknown>): unknown {
  if (response.status >= 200 && response.status < 300) return response.data;
  const told = (response.data as { error?: { code?: unknown; message?: unknown } } | null)?.error;
  const text = typeof told?.message === "string" ? told.message.slice(0, REFUSAL_TEXT_MAX) : "";
  const message = `${path}: the center answered ${response.status} ${text}`.trim();
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
  try {
    if (response.status !== 200) {
      answerOf(path, { ...response, data: await readRefusal(response.data) });
      throw new WireError("bad-schema", `a downlink answered with ${response.status}`);
    }
    await readLines(response.data, (line) => onMessage(parseDownlinkLine(line)));
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof TransportError) throw cause;
    const code = cause instanceof WireError ? "malformed" : "unreachable";
    throw new TransportError(code, "read the downlink", { cause: withoutSecrets(cause) });
  }
}

/** The JSON of a refusal, or `null` if it is none. */
async function readRefusal(stream: Readable): Promise<unknown> {
  let text = "";
  for await (const chunk of stream) {
    text += String(chunk);
    if (text.length > REFUSAL_MAX_BYTES) return null;
  }
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function readLines(stream: Readable, onLine: (line: string) => void): Promise<void> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) rest = takeLines(Buffer.concat([rest, chunk as Buffer]), onLine);
}

/** Hands over the whole lines and returns what is no line yet. */
function takeLines(bytes: Buffer, onLine: (line: string) => void): Buffer {
  let start = 0;
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
    assertLineLength(end - start);
    if (end > start) onLine(bytes.toString("utf8", start, end));
    start = end + 1;
  }
  assertLineLength(bytes.length - start);
  return bytes.subarray(start);
}

function assertLineLength(length: number): void {
  if (length > DOWNLINK_LINE_MAX_BYTES) throw new WireError("too-large", "a line of the downlink");
}
