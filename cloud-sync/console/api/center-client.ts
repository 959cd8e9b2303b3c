import type {
  AlarmsAnswer,
  AlarmView,
  CommandView,
  DeviceView,
  GatewayView,
  HistoryView,
  LevelsAnswer,
  PlacesAnswer,
  PointValue,
  PreviewView,
  ReadView,
} from "./answers.ts";
import { SseReader, type StreamEvent } from "./sse-reader.ts";

/** What the center said instead of an answer. `status` 0: it was not reached. */
export class CenterProblem extends Error {
  override readonly name = "CenterProblem";
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string, options?: { readonly cause: unknown }) {
    super(message, options);
    this.status = status;
    this.code = code;
  }
}

export interface Order {
  readonly gatewayId: string;
  readonly pointId: string;
  readonly value: PointValue;
  /** Of an action, in the order of its definition. */
  readonly args: readonly PointValue[];
  /** Of a hazardous point: the preview that the person saw. */
  readonly confirm?: { readonly preview: string };
}

export type ReadAsked =
  | { readonly gatewayId: string; readonly deviceId: string }
  | { readonly gatewayId: string; readonly pointIds: readonly string[] };

const PATIENCE_MS = 20_000;
/** The center sends at least a comment every 15 s. */
const SILENCE_MAX_MS = 40_000;

/** The operators' interface of the center, from its own origin, with a token that never stands in a URL it asks for. */
export class CenterClient {
  readonly #token: () => string;

  constructor(token: () => string) {
    this.#token = token;
  }

  places(): Promise<PlacesAnswer> {
    return this.#get("view/places");
  }

  levels(): Promise<LevelsAnswer> {
    return this.#get("view/levels");
  }

  async gateways(): Promise<readonly GatewayView[]> {
    const { gateways } = await this.#get<{ gateways: readonly GatewayView[] }>("view/gateways");
    return gateways;
  }

  device(gateway: string, device: string): Promise<DeviceView> {
    return this.#get(`view/device?${new URLSearchParams({ gateway, device })}`);
  }

  history(asked: {
    readonly gateway: string;
    readonly point: string;
    readonly from: number;
    readonly to: number;
    readonly buckets: number;
  }): Promise<HistoryView> {
    const { gateway, point, from, to, buckets } = asked;
    const query = { gateway, point, from: `${from}`, to: `${to}`, buckets: `${buckets}` };
    return this.#get(`view/history?${new URLSearchParams(query)}`);
  }

  /** Newest first; of one gateway only if it is named. */
  async commands(limit: number, gateway?: string): Promise<readonly CommandView[]> {
    const query = new URLSearchParams({ limit: `${limit}`, ...(gateway !== undefined && { gateway }) });
    const answer = await this.#get<{ commands: readonly CommandView[] }>(`commands?${query}`);
    return answer.commands;
  }

  command(id: string): Promise<CommandView> {
    return this.#get(`commands/${encodeURIComponent(id)}`);
  }

  preview(gateway: string, point: string): Promise<PreviewView> {
    return this.#get(`preview?${new URLSearchParams({ gateway, point })}`);
  }

  /** Reads on the bus now: all that can be read of a device, or these points. */
  read(asked: ReadAsked): Promise<ReadView> {
    return this.#ask("POST", "read", asked);
  }

  resolve(id: string, note: string): Promise<CommandView> {
    return this.#ask("POST", `commands/${encodeURIComponent(id)}/resolve`, { note });
  }

  alarms(): Promise<AlarmsAnswer> {
    return this.#get("alarms");
  }

  acknowledge(alarm: number): Promise<AlarmView> {
    return this.#ask("POST", `alarms/${alarm}/acknowledge`, {});
  }

  shelve(alarm: number, minutes: number, reason: string): Promise<AlarmView> {
    return this.#ask("POST", `alarms/${alarm}/shelve`, { minutes, ...(minutes > 0 && { reason }) });
  }

  order(order: Order): Promise<CommandView> {
    return this.#ask("POST", "commands", order);
  }

  cancel(id: string): Promise<CommandView> {
    return this.#ask("POST", `commands/${encodeURIComponent(id)}/cancel`, {});
  }

  /** Hands on events until the stream ends or `signal` aborts. @throws {CenterProblem} */
  async follow(query: string, take: (event: StreamEvent) => void, signal: AbortSignal): Promise<void> {
    const silence = new AbortController();
    const either = AbortSignal.any([signal, silence.signal]);
    const response = await this.#fetch("GET", `view/stream${query}`, { signal: either });
    const body = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    if (body === undefined) throw new CenterProblem(0, "no-stream", "the stream has no body");
    const reader = new SseReader();
    let timer = 0;
    try {
      for (;;) {
        timer = window.setTimeout(() => silence.abort(), SILENCE_MAX_MS);
        const { done, value } = await body.read();
        window.clearTimeout(timer);
        if (done) return;
        for (const event of reader.push(value)) take(event);
      }
    } finally {
      window.clearTimeout(timer);
    }
  }

  #get<Answer>(path: string): Promise<Answer> {
    return this.#ask("GET", path);
  }

  async #ask<Answer>(method: "GET" | "POST", path: string, body?: object): Promise<Answer> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const response = await this.#fetch(method, path, { signal, ...(body !== undefined && { body }) });
    return (await response.json()) as Answer;
  }

  async #fetch(
    method: "GET" | "POST",
    path: string,
    options: { readonly signal: AbortSignal; readonly body?: object },
  ): Promise<Response> {
    const { signal, body } = options;
    const headers: Record<string, string> = { authorization: `Bearer ${this.#token()}` };
    if (body !== undefined) headers["content-type"] = "application/json";
    let response: Response;
    try {
      response = await fetch(`/api/v1/${path}`, {
        method,
        headers,
        signal,
        cache: "no-store",
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    } catch (cause) {
      throw new CenterProblem(0, "unreachable", "the center does not answer", { cause });
    }
    if (!response.ok) throw await problemOf(response);
    return response;
  }
}

async function problemOf(response: Response): Promise<CenterProblem> {
  const text = await response.text();
  try {
    const { error } = JSON.parse(text) as { error: { code: string; message: string } };
    return new CenterProblem(response.status, error.code, error.message);
  } catch (cause) {
    return new CenterProblem(response.status, "unreadable", `the center answered ${response.status}`, {
      cause,
    });
  }
}
