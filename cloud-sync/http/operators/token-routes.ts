import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { Instant } from "../../../domain/time.ts";
import type { AccessTokens } from "../../access/access-tokens.ts";
import { actorOf } from "../../access/principal.ts";
import { slug } from "./gateway-routes.ts";
import { addOperation, NOTHING } from "./operation.ts";
import type { OperatorGuard } from "./operator-guard.ts";
import { OperatorProblem } from "./operator-problem.ts";

const role = z.enum(["viewer", "operator", "admin"]);
const tokenView = z.object({
  name: z.string(),
  role,
  createdAtMs: z.number(),
  createdBy: z.string(),
  expiresAtMs: z.number().nullable(),
  revokedAtMs: z.number().nullable(),
  lastUsedAtMs: z.number().nullable(),
});

/** Tokens are made, listed and revoked by admins; none is ever shown again (I42). */
export function addTokenRoutes(app: FastifyInstance, guard: OperatorGuard, tokens: AccessTokens): void {
  const common = { query: NOTHING, role: "admin" } as const;
  addOperation(app, guard, {
    ...common,
    method: "GET",
    url: "/api/v1/tokens",
    summary: "Who may use this interface, revoked ones included",
    params: NOTHING,
    body: NOTHING,
    status: 200,
    answer: z.object({ tokens: z.array(tokenView) }),
    handle: async () => ({ tokens: (await tokens.list()).map(viewOf) }),
  });
  addOperation(app, guard, {
    ...common,
    method: "POST",
    url: "/api/v1/tokens",
    summary: "Make a token for a person or a program; it is shown this once",
    params: NOTHING,
    body: z.strictObject({ name: slug, role, expiresAtMs: z.number().int().min(0).nullable().default(null) }),
    status: 201,
    answer: z.object({ name: z.string(), role, token: z.string() }),
    handle: async ({ body, principal }) => {
      const expiresAt = body.expiresAtMs === null ? null : Instant(body.expiresAtMs);
      const token = await tokens.create({ name: body.name, role: body.role, expiresAt }, actorOf(principal));
      if (token === undefined)
        throw new OperatorProblem(
          "conflict",
          `the name ${body.name} was given before: choose another`,
          "/name",
        );
      return { name: body.name, role: body.role, token };
    },
  });
  addOperation(app, guard, {
    ...common,
    method: "DELETE",
    url: "/api/v1/tokens/:name",
    summary: "Revoke a token, at once and for ever",
    params: z.strictObject({ name: slug }),
    body: NOTHING,
    status: 200,
    answer: z.object({ name: z.string() }),
    handle: async ({ params: { name }, principal }) => {
      if (!(await tokens.revoke(name, actorOf(principal))))
        throw new OperatorProblem("not-found", `no token ${name} works: see GET /api/v1/tokens`);
      return { name };
    },
  });
}

function viewOf(row: Awaited<ReturnType<AccessTokens["list"]>>[number]): z.infer<typeof tokenView> {
  return {
    name: row.name,
    role: row.role,
    createdAtMs: row.created_at,
    createdBy: row.created_by,
    expiresAtMs: row.expires_at,
    revokedAtMs: row.revoked_at,
    lastUsedAtMs: row.last_used_at,
  };
}
