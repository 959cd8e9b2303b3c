import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { GatewayId } from "../../../domain/ids.ts";
import { type Clock, Millis } from "../../../domain/time.ts";
import { actorOf } from "../../access/principal.ts";
import type { AlarmEnd, AlarmService } from "../../alarms/alarm-service.ts";
import type { Enrolment } from "../../registry/enrolment.ts";
import type { Database } from "../../store/database.ts";
import { type AlarmRow, countAlarms, listAlarms } from "../../store/tables/alarms.ts";
import { slug } from "./gateway-routes.ts";
import { addOperation, NOTHING } from "./operation.ts";
import type { OperatorGuard } from "./operator-guard.ts";
import { OperatorProblem } from "./operator-problem.ts";

/** An alarm as operators see it: active × acknowledged, shelved (ISA-18.2). */
const alarmView = z.object({
  number: z.number(),
  /** `device`: a point of a device tells of trouble; `center`: what the center itself found wrong. */
  origin: z.enum(["device", "center"]),
  gatewayId: z.string().nullable(),
  /** The point's name, or what the center calls it. */
  name: z.string(),
  severity: z.enum(["low", "medium", "high"]),
  /** The point's id, or what it is about. */
  subject: z.string(),
  detail: z.string(),
  raisedAtMs: z.number(),
  lastAtMs: z.number(),
  occurrences: z.number(),
  /** Null: it is active, by what is known. */
  clearedAtMs: z.number().nullable(),
  acknowledged: z.object({ by: z.string(), atMs: z.number(), note: z.string().nullable() }).nullable(),
  /** Not annunciated until then. */
  shelved: z.object({ by: z.string(), untilMs: z.number(), reason: z.string() }).nullable(),
});
type AlarmView = z.infer<typeof alarmView>;

export interface AlarmRouteParts {
  readonly database: Database;
  readonly enrolment: Enrolment;
  readonly alarms: AlarmService;
  readonly clock: Clock;
}

const byNumber = z.strictObject({ number: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) });
const SHELF_MAX_MINUTES = 7 * 24 * 60;
const text = z.string().trim().min(1).max(500);

/** What needs a person, and what people did about it. */
export function addAlarmRoutes(app: FastifyInstance, guard: OperatorGuard, parts: AlarmRouteParts): void {
  const { database, clock, alarms } = parts;
  const view = (end: AlarmEnd, number: number): AlarmView => viewAlarm(rowOf(end, number), clock.now());
  addOperation(app, guard, {
    method: "GET",
    url: "/api/v1/alarms",
    summary: "Alarms that are active or that nobody has acknowledged, newest first, at most 1,000 of `total`",
    role: "viewer",
    params: NOTHING,
    query: NOTHING,
    body: NOTHING,
    status: 200,
    answer: z.object({ alarms: z.array(alarmView), total: z.number() }),
    handle: async () => {
      const [rows, total] = [await listAlarms(database), await countAlarms(database)];
      return { alarms: rows.map((row) => viewAlarm(row, clock.now())), total };
    },
  });
  const common = { method: "POST", role: "operator", params: byNumber, query: NOTHING, status: 200 } as const;
  addOperation(app, guard, {
    ...common,
    url: "/api/v1/alarms/:number/acknowledge",
    summary: "Say that you have seen it; it leaves the list once it is not active any more",
    body: z.strictObject({ note: text.optional() }),
    answer: alarmView,
    handle: async ({ params: { number }, body: { note = null }, principal }) =>
      view(await alarms.acknowledge(number, { actor: actorOf(principal), note }), number),
  });
  addOperation(app, guard, {
    ...common,
    url: "/api/v1/alarms/:number/shelve",
    summary:
      "Do not annunciate an active alarm for a while, at most 7 days; 0 minutes takes it off the shelf",
    body: z.strictObject({
      minutes: z.number().int().min(0).max(SHELF_MAX_MINUTES),
      reason: text.optional(),
    }),
    answer: alarmView,
    handle: async ({ params: { number }, body: { minutes, reason }, principal }) => {
      const actor = actorOf(principal);
      if (minutes === 0) return view(await alarms.unshelve(number, actor), number);
      if (reason === undefined) throw new OperatorProblem("bad-request", "say why it is shelved", "/reason");
      const duration = Millis(minutes * 60_000);
      return view(await alarms.shelve(number, { actor, reason, duration }), number);
    },
  });
  addRevocation(app, guard, parts);
}

/** @throws {OperatorProblem} `not-found`, `conflict` */
function rowOf(end: AlarmEnd, number: number): Exclude<AlarmEnd, string> {
  if (end === "unknown")
    throw new OperatorProblem("not-found", `there is no alarm ${number}: see GET /api/v1/alarms`);
  if (end === "over")
    throw new OperatorProblem(
      "conflict",
      `alarm ${number} does not stand so any more: read GET /api/v1/alarms again`,
    );
  return end;
}

/** The way to shut a gateway out. */
function addRevocation(app: FastifyInstance, guard: OperatorGuard, { enrolment }: AlarmRouteParts): void {
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

/** `nowMs`: what was shelved until before it is not shelved any more. */
function viewAlarm(row: AlarmRow, nowMs: number): AlarmView {
  const { acknowledged_at, acknowledged_by, shelved_until, shelved_by } = row;
  const isShelved = shelved_until !== null && shelved_by !== null && shelved_until > nowMs;
  return {
    number: row.alarm_no,
    origin: row.point_no === null ? "center" : "device",
    gatewayId: row.gateway_id,
    name: row.name,
    severity: row.severity,
    subject: row.subject,
    detail: row.detail,
    raisedAtMs: row.raised_at,
    lastAtMs: row.last_at,
    occurrences: row.occurrences,
    clearedAtMs: row.cleared_at,
    acknowledged:
      acknowledged_at === null || acknowledged_by === null
        ? null
        : { by: acknowledged_by, atMs: acknowledged_at, note: row.acknowledgement },
    shelved: isShelved ? { by: shelved_by, untilMs: shelved_until, reason: row.shelving_reason ?? "" } : null,
  };
}
