import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { CommandId, GatewayId, PointId } from "../../../domain/ids.ts";
import { Millis } from "../../../domain/time.ts";
import { actorOf } from "../../access/principal.ts";
import type { CommandReader } from "../../dispatch/command-ledger.ts";
import { COMMAND_LIFE } from "../../dispatch/command-limits.ts";
import type { CommandRecord } from "../../dispatch/command-record.ts";
import { assertUnresolved, type CommandService } from "../../dispatch/command-service.ts";
import { DispatchError, type DispatchFaultCode } from "../../dispatch/dispatch-error.ts";
import type { FreshReads } from "../../dispatch/fresh-reads.ts";
import type { Database } from "../../store/database.ts";
import { readEvidence } from "../command-evidence.ts";
import { CommandPreviews, previewView } from "../command-preview.ts";
import type { CenterView } from "./center-view.ts";
import { commandView, viewCommand, viewCommands } from "./command-view.ts";
import { slug } from "./gateway-routes.ts";
import { commandIdText, pointIdText } from "./id-texts.ts";
import { addOperation, NOTHING } from "./operation.ts";
import type { OperatorGuard } from "./operator-guard.ts";
import { OperatorProblem, type OperatorProblemCode } from "./operator-problem.ts";

export interface CommandRouteParts {
  readonly database: Database;
  readonly view: CenterView;
  readonly commands: CommandService;
  readonly reader: CommandReader;
  readonly reads: FreshReads;
}

const PROBLEMS: Readonly<
  Record<DispatchFaultCode, { readonly code: OperatorProblemCode; readonly pointer?: string }>
> = {
  "id-taken": { code: "conflict", pointer: "/commandId" },
  "unknown-command": { code: "not-found" },
  "already-sent": { code: "conflict" },
  "not-unknown": { code: "conflict" },
  "life-too-long": { code: "bad-request", pointer: "/ttlMs" },
  "too-many-open": { code: "too-many" },
};

const byId = z.strictObject({ id: commandIdText });
const plainValue = z.union([z.number(), z.boolean(), z.string().max(4_096)]);
const order = z.strictObject({
  gatewayId: slug,
  pointId: pointIdText,
  value: plainValue,
  /** Of an action, whose value is true; in the order of its definition. */
  args: z.array(plainValue).max(16).default([]),
  /** From now on; 24 h for a set-point unless given. */
  ttlMs: z.number().int().min(1).max(COMMAND_LIFE.K1.max).optional(),
  commandId: commandIdText.optional(),
  /** What the person saw before: of a hazardous point, the `preview` of `GET /api/v1/preview`. */
  confirm: z.strictObject({ preview: z.string().max(64) }).optional(),
});

export function addCommandRoutes(app: FastifyInstance, guard: OperatorGuard, parts: CommandRouteParts): void {
  addOrders(app, guard, parts);
  addReading(app, guard, parts);
}

function addOrders(
  app: FastifyInstance,
  guard: OperatorGuard,
  { commands, reader, reads, database, view }: CommandRouteParts,
): void {
  const previews = new CommandPreviews(database, view);
  const common = { query: NOTHING, role: "operator", answer: commandView } as const;
  const seen = async (work: Promise<CommandRecord>) => viewCommand(reader, await translated(work));
  addOperation(app, guard, {
    ...common,
    method: "POST",
    url: "/api/v1/commands",
    summary:
      "Order a point to a value; an order that can not be carried out ends as `rejected`, with its cause",
    params: NOTHING,
    body: order,
    status: 202,
    handle: async ({ body, principal }) => {
      const { ttlMs, commandId: id, confirm } = body;
      const point = { gatewayId: GatewayId(body.gatewayId), pointId: PointId(body.pointId) };
      const asked = {
        ...point,
        value: body.value,
        args: body.args,
        ttl: ttlMs === undefined ? null : Millis(ttlMs),
        commandId: id === undefined ? null : CommandId(id),
        confirmed: await previews.confirmed(point, confirm),
      };
      return seen(commands.request(asked, actorOf(principal)));
    },
  });
  addOperation(app, guard, {
    ...common,
    method: "POST",
    url: "/api/v1/commands/:id/cancel",
    summary: "Take back a command that has not left for its gateway",
    params: byId,
    body: NOTHING,
    status: 200,
    handle: ({ params, principal }) => seen(commands.cancel(CommandId(params.id), actorOf(principal))),
  });
  addOperation(app, guard, {
    ...common,
    method: "POST",
    url: "/api/v1/commands/:id/resolve",
    summary:
      "Say what was found out about an unknown outcome; what is read back at this moment is kept with it, and the outcome itself stays as it is",
    params: byId,
    body: z.strictObject({ note: z.string().trim().min(1).max(2_000) }),
    status: 200,
    handle: async ({ params, body, principal }) => {
      const id = CommandId(params.id);
      const by = actorOf(principal);
      const command = await reader.find(id);
      if (command === undefined) throw new OperatorProblem("not-found", `there is no command ${id}`);
      const resolved = async (): Promise<CommandRecord> => {
        assertUnresolved(command);
        const evidence = await readEvidence({ previews, reads }, command, by);
        return commands.resolve(id, { by, note: body.note, evidence });
      };
      return seen(resolved());
    },
  });
}

function addReading(
  app: FastifyInstance,
  guard: OperatorGuard,
  { reader, database, view }: CommandRouteParts,
): void {
  const previews = new CommandPreviews(database, view);
  const common = { body: NOTHING, role: "viewer", status: 200 } as const;
  addOperation(app, guard, {
    ...common,
    method: "GET",
    url: "/api/v1/preview",
    summary: "How a point stands with what proves and permits a command to it; `preview` confirms it",
    params: NOTHING,
    query: z.strictObject({ gateway: slug, point: pointIdText }),
    answer: previewView,
    handle: async ({ query }) => {
      const found = await previews.find(GatewayId(query.gateway), PointId(query.point));
      if (found === undefined)
        throw new OperatorProblem("not-found", `${query.gateway} has told of no point ${query.point}`);
      return found;
    },
  });
  addOperation(app, guard, {
    ...common,
    method: "GET",
    url: "/api/v1/commands",
    summary: "Commands, newest first",
    params: NOTHING,
    query: z.strictObject({
      gateway: slug.optional(),
      limit: z.coerce.number().int().min(1).max(1_000).default(100),
    }),
    answer: z.object({ commands: z.array(commandView) }),
    handle: async ({ query: { gateway, limit } }) => {
      const gatewayId = gateway === undefined ? null : GatewayId(gateway);
      return { commands: await viewCommands(reader, await reader.list({ gatewayId, limit })) };
    },
  });
  addOperation(app, guard, {
    ...common,
    method: "GET",
    url: "/api/v1/commands/:id",
    summary: "One command with every state it was in",
    params: byId,
    query: NOTHING,
    answer: commandView,
    handle: async ({ params: { id } }) => {
      const command = await reader.find(CommandId(id));
      if (command === undefined) throw new OperatorProblem("not-found", `there is no command ${id}`);
      return viewCommand(reader, command);
    },
  });
}

async function translated(work: Promise<CommandRecord>): Promise<CommandRecord> {
  try {
    return await work;
  } catch (cause) {
    if (!(cause instanceof DispatchError)) throw cause;
    const { code, pointer } = PROBLEMS[cause.code];
    throw new OperatorProblem(code, cause.message, pointer);
  }
}
