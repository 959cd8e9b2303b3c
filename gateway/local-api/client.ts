import { request as httpRequest } from "node:http";
import type { Clock, Millis } from "../../domain/time.ts";
import type {
  CommandAnswer,
  CommandsAnswer,
  DeviceAnswer,
  DevicesAnswer,
  ErrorAnswer,
  HistoryAnswer,
  PointAnswer,
  ReadAnswer,
  StatusAnswer,
} from "./client/answers.ts";
import { API_VERSION } from "./client/answers.ts";

/** Largest answer: the devices of the largest gateway are some 20 MB. */
const ANSWER_MAX_BYTES = 64 * 1024 * 1024;

export const LOCAL_CLIENT_FAULTS = {
  "not-running": "start it with `nerve gateway run --site FILE`, or name another with --data-folder DIR",
  "not-permitted": "run it as the user that runs the gateway, e.g. with sudo -u USER",
  "no-answer": "try again with a longer --timeout; if it stays so, see the gateway's log",
  "not-a-gateway":
    "nerve and gateway differ in version: restart the gateway, or use the nerve that came with it",
  refused: "see what the gateway said",
  interrupted: "ask again when you want to know",
} as const;
export type LocalClientFaultCode = keyof typeof LOCAL_CLIENT_FAULTS;

/** The gateway could not be asked, or refused to answer. */
export class LocalClientError extends Error {
  override readonly name = "LocalClientError";
  readonly code: LocalClientFaultCode;
  /** What the gateway said, for `refused`. */
  readonly answer: ErrorAnswer["error"] | undefined;

  constructor(
    code: LocalClientFaultCode,
    what: string,
    options: { readonly cause?: unknown; readonly answer?: ErrorAnswer["error"] } = {},
  ) {
    // The gateway's own words already end in what to do.
    super(options.answer === undefined ? `${what}: ${LOCAL_CLIENT_FAULTS[code]}` : what, {
      cause: options.cause,
    });
    this.code = code;
    this.answer = options.answer;
  }
}

export interface LocalApiClientOptions {
  readonly socketPath: string;
  /** From the call to the whole answer; commands get their own time on top. */
  readonly timeout: Millis;
  readonly clock: Pick<Clock, "schedule">;
  /** Ends every wait. */
  readonly signal: AbortSignal;
}

/**
 * The local API as methods. Answers are taken as their type says: the gateway at the other end is of this package,
 * which the header `nerve-api` proves, and a schema check would cost the CLI more than all else it does.
 */
export class LocalApiClient {
  readonly #options: LocalApiClientOptions;

  constructor(options: LocalApiClientOptions) {
    this.#options = options;
  }

  async status(): Promise<StatusAnswer> {
    return (await this.#ask("GET", "/v1/status")) as StatusAnswer;
  }

  async devices(): Promise<DevicesAnswer> {
    return (await this.#ask("GET", "/v1/devices")) as DevicesAnswer;
  }

  async device(device: string): Promise<DeviceAnswer> {
    return (await this.#ask("GET", `/v1/devices/${encodeURIComponent(device)}`)) as DeviceAnswer;
  }

  async point({ device, point }: { readonly device: string; readonly point: string }): Promise<PointAnswer> {
    return (await this.#ask(
      "GET",
      `/v1/points/${encodeURIComponent(device)}/${encodeURIComponent(point)}`,
    )) as PointAnswer;
  }

  async read(body: {
    readonly name: string;
    readonly device: string;
    readonly point?: string;
  }): Promise<ReadAnswer> {
    return (await this.#ask("POST", "/v1/read", { body })) as ReadAnswer;
  }

  /** @param wait on top of the time-out: the deadline and the read-back window. */
  async command(
    body: {
      readonly name: string;
      readonly commandId: string;
      readonly device: string;
      readonly point: string;
      readonly value: number | boolean | string;
      /** Of an action, in order; absent: none. */
      readonly args?: readonly (number | boolean | string)[];
      readonly deadlineMs: number;
    },
    wait: Millis,
  ): Promise<CommandAnswer> {
    return (await this.#ask("POST", "/v1/commands", { body, wait })) as CommandAnswer;
  }

  async commands(limit: number): Promise<CommandsAnswer> {
    return (await this.#ask("GET", `/v1/commands?limit=${limit}`)) as CommandsAnswer;
  }

  async findCommand(id: string): Promise<CommandAnswer> {
    return (await this.#ask("GET", `/v1/commands/${encodeURIComponent(id)}`)) as CommandAnswer;
  }

  async history(
    { device, point }: { readonly device: string; readonly point: string },
    span: { readonly from?: string; readonly to?: string; readonly limit?: number },
  ): Promise<HistoryAnswer> {
    const query = new URLSearchParams();
    for (const [key, value] of Object.entries(span)) query.set(key, String(value));
    const path = `/v1/history/${encodeURIComponent(device)}/${encodeURIComponent(point)}?${query}`;
    return (await this.#ask("GET", path)) as HistoryAnswer;
  }

  async #ask(
    method: "GET" | "POST",
    path: string,
    extra: { readonly body?: unknown; readonly wait?: Millis } = {},
  ): Promise<unknown> {
    const { socketPath, timeout, clock, signal } = this.#options;
    const abort = new AbortController();
    const longest = (timeout + (extra.wait ?? 0)) as Millis;
    const tooLate = new LocalClientError(
      "no-answer",
      `ask the gateway at ${socketPath}: no answer in ${longest / 1_000} s`,
    );
    const cancel = clock.schedule(longest, () => abort.abort(tooLate));
    try {
      const { status, api, text } = await exchange(
        { socketPath, method, path, body: extra.body },
        abort.signal,
      );
      return answerOf({ status, api, text, socketPath });
    } catch (error) {
      if (signal.aborted) throw new LocalClientError("interrupted", "ended before the gateway answered");
      if (abort.signal.aborted) throw tooLate;
      throw error instanceof LocalClientError ? error : unreachableGateway(socketPath, error);
    } finally {
      cancel();
    }
  }
}

interface Exchanged {
  readonly status: number;
  readonly api: string | undefined;
  readonly text: string;
}

function exchange(
  asked: {
    readonly socketPath: string;
    readonly method: string;
    readonly path: string;
    readonly body: unknown;
  },
  signal: AbortSignal,
): Promise<Exchanged> {
  const { socketPath, method, path } = asked;
  const body = asked.body === undefined ? undefined : JSON.stringify(asked.body);
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  return new Promise((resolve, reject) => {
    const request = httpRequest({ socketPath, method, path, headers, signal, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > ANSWER_MAX_BYTES)
          request.destroy(new Error(`the answer is longer than ${ANSWER_MAX_BYTES} bytes`));
        chunks.push(chunk);
      });
      response.once("error", reject);
      response.once("end", () => {
        const api = response.headers["nerve-api"];
        resolve({
          status: response.statusCode ?? 0,
          api: typeof api === "string" ? api : undefined,
          text: Buffer.concat(chunks).toString("utf8"),
        });
      });
    });
    request.once("error", reject);
    request.end(body);
  });
}

function answerOf({ status, api, text, socketPath }: Exchanged & { readonly socketPath: string }): unknown {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    data = null;
  }
  if (api !== API_VERSION || typeof data !== "object" || data === null)
    throw new LocalClientError("not-a-gateway", `${socketPath} answered what this nerve does not understand`);
  if (status < 400) return data;
  const { error } = data as ErrorAnswer;
  throw new LocalClientError("refused", error.message, { answer: error });
}

function unreachableGateway(socketPath: string, cause: unknown): LocalClientError {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  switch (code) {
    case "ENOENT":
      return new LocalClientError("not-running", `no gateway is running: there is no socket ${socketPath}`, {
        cause,
      });
    case "ECONNREFUSED":
      return new LocalClientError("not-running", `no gateway is running: nobody answers on ${socketPath}`, {
        cause,
      });
    case "EACCES":
    case "EPERM":
      return new LocalClientError("not-permitted", `this user may not use ${socketPath}`, { cause });
    default: {
      const reason = cause instanceof Error ? cause.message : String(cause);
      return new LocalClientError("no-answer", `ask the gateway at ${socketPath}: ${reason}`, { cause });
    }
  }
}
