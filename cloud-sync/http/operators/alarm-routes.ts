import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { GatewayId } from "../../../domain/ids.ts";
import { actorOf } from "../../access/principal.ts";
import type { Enrolment } from "../../registry/enrolment.ts";
import type { Database } from "../../store/database.ts";
import { listAlarms } from "../../store/tables/alarms.ts";
import { slug } from "./gateway-routes.ts";
import { addOperation, NOTHING } from "./operation.ts";
import type { OperatorGuard } from "./operator-guard.ts";
import { OperatorProblem } from "./operator-problem.ts";

const alarmView = z.object({
  gatewayId: z.string().nullable(),
  name: z.string(),
  severity: z.enum(["low", "medium", "high"]),
  subject: z.string(),
  detail: z.string(),
  raisedAtMs: z.number(),
  lastAtMs: z.number(),
  occurrences: z.number(),
});

/** What the center itself found wrong, and the way to shut a gateway out. */
export function addAlarmRoutes(
  app: FastifyInstance,
  guard: OperatorGuard,
  { database, enrolment }: { readonly database: Database; readonly enrolment: Enrolment },
): void {
  addOperation(app, guard, {
    method: "GET",
    url: "/api/v1/alarms",
    summary: "Alarms of the center that nobody has cleared, newest first, at most 1,000",
    role: "viewer",
    params: NOTHING,
    query: NOTHING,
    body: NOTHING,
    status: 200,
    answer: z.object({ alarms: z.array(alarmView) }),
    handle: async () => ({
      alarms: (await listAlarms(database)).map((row) => ({
        gatewayId: row.gateway_id,
        name: row.name,
        severity: row.severity,
        subject: row.subject,
        detail: row.detail,
        raisedAtMs: row.raised_at,
        lastAtMs: row.last_at,
        occurrences: row.occurrences,
      })),
    }),
  });
  addOperation(app, guard, {
    method: "POST",
    url: "/api/v1/gateways/:id/revoke",
    summary: "Shut a gateway out, say because its box was stolen; a new claim lets it in again",
    role: "admin",
    params: z.strictObject({ id: slug }),
    query: NOTHING,
    body: z.strictObject({ reason: z.string().trim().min(1).max(500) }),
    status: 200,
    answer: z.object({ id: z.string() }),
    handle: async ({ params: { id }, body: { reason }, principal }) => {
      const revoked = await enrolment.revoke({ gatewayId: GatewayId(id), reason, by: actorOf(principal) });
      if (!revoked)
        throw new OperatorProblem("not-found", `there is no gateway ${id}: see GET /api/v1/gateways`);
      return { id };
    },
  });
}
