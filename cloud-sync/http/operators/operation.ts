import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Principal } from "../../access/principal.ts";
import type { AccessRole } from "../../store/tables/access-tokens.ts";
import type { OperatorGuard } from "./operator-guard.ts";
import { parseInput } from "./parse-input.ts";

/** One thing the interface can do: what it takes, gives, and who may ask. Also the source of the OpenAPI page. */
export interface Operation<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType> {
  readonly method: "GET" | "POST" | "DELETE";
  /** With `:name` for parameters. */
  readonly url: string;
  readonly summary: string;
  readonly role: AccessRole;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly status: 200 | 201 | 202;
  readonly answer: z.ZodType;
  handle(input: OperationInput<Params, Query, Body>): Promise<unknown>;
}

export interface OperationInput<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType> {
  readonly params: z.infer<Params>;
  readonly query: z.infer<Query>;
  readonly body: z.infer<Body>;
  readonly principal: Principal;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

export const NOTHING = z.strictObject({});

/** Unknown parameters and members are refused: a mistyped `ttlms` must not become a day. */
export function addOperation<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType>(
  app: FastifyInstance,
  guard: OperatorGuard,
  operation: Operation<Params, Query, Body>,
): void {
  const { method, url, role } = operation;
  app.route({
    method,
    url,
    schema: describe(operation),
    onRequest: (request) => guard.admit(request, role),
    handler: async (request, reply) => {
      const answer = await operation.handle({
        params: parseInput(operation.params, request.params),
        query: parseInput(operation.query, request.query),
        body: parseInput(operation.body, request.body ?? {}),
        principal: guard.principalOf(request),
        request,
        reply,
      });
      return reply.sent ? reply : reply.status(operation.status).send(answer);
    },
  });
}

function describe<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType>(
  operation: Operation<Params, Query, Body>,
): object {
  const { summary, role, params, query, body, status, answer, method } = operation;
  return {
    summary,
    description: `Needs the role ${role}.`,
    security: [{ token: [] }],
    ...(isNothing(params) ? {} : { params: toJsonSchema(params) }),
    ...(isNothing(query) ? {} : { querystring: toJsonSchema(query) }),
    ...(method === "POST" && !isNothing(body) ? { body: toJsonSchema(body) } : {}),
    response: { [status]: { description: "As asked", ...toJsonSchema(answer) }, ...REFUSALS },
  };
}

const refusal = z.object({
  error: z.object({ code: z.string(), message: z.string(), pointer: z.string().optional() }),
});
const REFUSALS = { "4xx": { description: "Refused, with what to do", ...toJsonSchema(refusal) } };

function isNothing(schema: z.ZodType): boolean {
  return schema === NOTHING;
}

function toJsonSchema(schema: z.ZodType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    target: "draft-7",
    io: "input",
    unrepresentable: "any",
  });
  return rest;
}
