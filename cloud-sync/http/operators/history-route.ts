import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { GatewayId, PointId } from "../../../domain/ids.ts";
import { type Clock, Hours, Instant } from "../../../domain/time.ts";
import type { Database } from "../../store/database.ts";
import { findPoint } from "../../store/tables/catalogues.ts";
import { listHistory } from "../../store/tables/readings.ts";
import { slug } from "./gateway-routes.ts";
import { addOperation, NOTHING } from "./operation.ts";
import type { OperatorGuard } from "./operator-guard.ts";
import { OperatorProblem } from "./operator-problem.ts";

const SPAN_USUAL = Hours(24);
/** The last instant that PostgreSQL and JavaScript both know well enough: the year 9999. */
const INSTANT_MAX = 253_402_300_799_999;
const instant = z.coerce.number().int().min(0).max(INSTANT_MAX);

export function addHistoryRoute(
  app: FastifyInstance,
  guard: OperatorGuard,
  { database, clock }: { readonly database: Database; readonly clock: Clock },
): void {
  addOperation(app, guard, {
    method: "GET",
    url: "/api/v1/history",
    summary:
      "Readings of a point, newest last: the newest `limit` between `from` and `to` (ms since 1970; the last 24 h)",
    role: "viewer",
    params: NOTHING,
    query: z.strictObject({
      gateway: slug,
      point: z.string().max(129),
      from: instant.optional(),
      to: instant.optional(),
      limit: z.coerce.number().int().min(1).max(10_000).default(1_000),
    }),
    body: NOTHING,
    status: 200,
    answer: z.object({
      readings: z.array(
        z.object({
          value: z.union([z.number(), z.boolean(), z.string()]).nullable(),
          quality: z.string(),
          cause: z.string(),
          gatewayTimestampMs: z.number(),
          correctedTimestampMs: z.number().nullable(),
        }),
      ),
    }),
    handle: async ({ query }) => {
      const to = query.to ?? clock.now();
      const from = query.from ?? Math.max(0, to - SPAN_USUAL);
      const point = await findPoint(database, GatewayId(query.gateway), pointOf(query.point));
      if (point === undefined)
        throw new OperatorProblem("not-found", `${query.gateway} has told of no point ${query.point}`);
      const span = { from: Instant(from), to: Instant(to), limit: query.limit };
      const readings = await listHistory(database, point.point_no, span);
      return {
        readings: readings.map((reading) => ({
          value: reading.value,
          quality: reading.quality,
          cause: reading.cause,
          gatewayTimestampMs: reading.gatewayAt,
          correctedTimestampMs: reading.correctedAt,
        })),
      };
    },
  });
}

function pointOf(text: string): PointId {
  try {
    return PointId(text);
  } catch {
    throw new OperatorProblem("bad-request", "is not <device>/<point>, e.g. lamp-0042/dim-level", "/point");
  }
}
