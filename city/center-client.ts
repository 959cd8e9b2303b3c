import { z } from "zod";

const command = z.looseObject({
  id: z.string(),
  gatewayId: z.string(),
  pointId: z.string(),
  state: z.looseObject({ name: z.string() }),
  history: z.array(z.looseObject({ state: z.string(), at: z.number() })),
});
export type CenterCommand = z.infer<typeof command>;

const commands = z.object({ commands: z.array(command) });

const preview = z.looseObject({
  points: z.array(
    z.looseObject({ pointId: z.string(), value: z.union([z.number(), z.boolean(), z.string()]).nullable() }),
  ),
  /** What confirms it; null while something of it is not known well enough. */
  preview: z.string().nullable(),
});
export type CenterPreview = z.infer<typeof preview>;

const gateways = z.object({
  gateways: z.array(z.looseObject({ id: z.string(), link: z.looseObject({ state: z.string() }) })),
});
const states = z.object({
  states: z.array(
    z.looseObject({
      pointId: z.string(),
      value: z.union([z.number(), z.boolean(), z.string()]).nullable(),
      quality: z.string(),
      /** Since the last proof that it is true: a change, or a poll that found none. */
      confirmedAgeMs: z.number().nullable(),
      maxAgeMs: z.number().nullable(),
      link: z.string(),
    }),
  ),
});
export type CenterPointState = z.infer<typeof states>["states"][number];

const completeness = z.object({
  gateways: z.array(
    z.looseObject({
      gatewayId: z.string(),
      link: z.string(),
      counts: z.array(
        z.looseObject({
          profileId: z.string(),
          pollClass: z.string(),
          isControl: z.boolean(),
          points: z.number(),
          told: z.number(),
          good: z.number(),
        }),
      ),
    }),
  ),
});
export type GatewayCompleteness = z.infer<typeof completeness>["gateways"][number];

const END_STATES = new Set([
  "succeeded",
  "failed",
  "rejected",
  "expired",
  "cancelled",
  "superseded",
  "outcome-unknown",
]);

/** What the center did not do, with its HTTP status and its words. */
export class CenterRefusal extends Error {
  readonly status: number;

  constructor(request: string, status: number, said: string) {
    super(`${request}: the center answered ${status} ${said}`);
    this.name = "CenterRefusal";
    this.status = status;
  }
}

/** The operators' HTTP interface, as a script would use it. @throws {CenterRefusal} */
export class CenterClient {
  #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  /** The center came back at another address. */
  moveTo(url: string): void {
    this.#url = url;
  }

  /** A claim for this gateway: works once, for a day. `centerUrl`: where the gateway will find the center. */
  async claimGateway(gateway: {
    readonly id: string;
    readonly name: string;
    readonly centerUrl: string;
  }): Promise<string> {
    const answer = await this.#ask("POST", "/api/v1/gateways", gateway);
    return z.looseObject({ claim: z.string() }).parse(answer).claim;
  }

  async linkState(gatewayId: string): Promise<string> {
    const answer = gateways.parse(await this.#ask("GET", "/api/v1/gateways"));
    return answer.gateways.find((gateway) => gateway.id === gatewayId)?.link.state ?? "unknown";
  }

  /** Of one device, or of all that the gateway has: tens of megabytes for the largest. */
  async states(gatewayId: string, device?: string): Promise<readonly CenterPointState[]> {
    const of = device === undefined ? "" : `&device=${device}`;
    return states.parse(await this.#ask("GET", `/api/v1/state?gateway=${gatewayId}${of}`)).states;
  }

  /** Of all devices that the gateway has, the points of this name. */
  async statesNamed(gatewayId: string, name: string): Promise<readonly CenterPointState[]> {
    return states.parse(await this.#ask("GET", `/api/v1/state?gateway=${gatewayId}&name=${name}`)).states;
  }

  async completeness(): Promise<readonly GatewayCompleteness[]> {
    return completeness.parse(await this.#ask("GET", "/api/v1/completeness")).gateways;
  }

  async command(order: {
    readonly gatewayId: string;
    readonly pointId: string;
    readonly value: number | boolean | string;
    readonly ttlMs?: number;
    readonly confirm?: { readonly preview: string };
  }): Promise<CenterCommand> {
    return command.parse(await this.#ask("POST", "/api/v1/commands", order));
  }

  /** How a point stands that is to be commanded, with what proves and permits it. */
  async preview(gatewayId: string, pointId: string): Promise<CenterPreview> {
    return preview.parse(await this.#ask("GET", `/api/v1/preview?gateway=${gatewayId}&point=${pointId}`));
  }

  /** Has the gateway ask the devices themselves; the states then show what they said. */
  async read(gatewayId: string, pointIds: readonly string[]): Promise<void> {
    await this.#ask("POST", "/api/v1/read", { gatewayId, pointIds });
  }

  /** The newest thousand. */
  async commands(gatewayId: string): Promise<readonly CenterCommand[]> {
    return commands.parse(await this.#ask("GET", `/api/v1/commands?gateway=${gatewayId}&limit=1000`))
      .commands;
  }

  async findCommand(id: string): Promise<CenterCommand> {
    return command.parse(await this.#ask("GET", `/api/v1/commands/${id}`));
  }

  isOver(of: CenterCommand): boolean {
    return END_STATES.has(of.state.name);
  }

  async #ask(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(this.#url + path, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new CenterRefusal(`${method} ${path}`, response.status, text.slice(0, 500));
    return JSON.parse(text);
  }
}
