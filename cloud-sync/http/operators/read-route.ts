import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { GatewayId, PointId } from "../../../domain/ids.ts";
import { READ_POINTS_MAX } from "../../../domain/wire/fresh-read.ts";
import { actorOf } from "../../access/principal.ts";
import type { FreshReads, ReadEnd } from "../../dispatch/fresh-reads.ts";
import type { Database } from "../../store/database.ts";
import { listReadablePointIds } from "../../store/views/device-view.ts";
import type { CenterView } from "./center-view.ts";
import { slug } from "./gateway-routes.ts";
import { pointIdText } from "./id-texts.ts";
import { addOperation, NOTHING } from "./operation.ts";
import type { OperatorGuard } from "./operator-guard.ts";
import { OperatorProblem } from "./operator-problem.ts";
import { type StateView, stateView } from "./state-view.ts";

export interface ReadRouteParts {
  readonly database: Database;
  readonly view: CenterView;
  readonly reads: FreshReads;
}

const body = z.strictObject({
  gatewayId: slug,
  /** All that can be read of one device, … */
  deviceId: slug.optional(),
  /** … or these points. */
  pointIds: z.array(pointIdText).min(1).max(READ_POINTS_MAX).optional(),
});
const known = stateView.pick({ value: true, quality: true, cause: true });
const answer = z.object({
  gatewayId: z.string(),
  /** `not-answered`: the gateway said nothing within 3 s, and only what was told before is known. */
  outcome: z.enum(["read", "not-answered"]),
  tookMs: z.number(),
  points: z.array(
    z.object({
      pointId: z.string(),
      unit: z.string().nullable(),
      /** As the bus showed it, at most `tookMs` ago; null: not answered. */
      read: known.nullable(),
      /** As it was known before, with its age; null: it never was told. */
      told: known.extend({ confirmedAgeMs: z.number().nullable() }).nullable(),
    }),
  ),
});

/** A person asks the devices themselves (K0). It moves nothing, but takes the line's time, so it needs an operator. */
export function addReadRoute(
  app: FastifyInstance,
  guard: OperatorGuard,
  { database, view, reads }: ReadRouteParts,
): void {
  addOperation(app, guard, {
    method: "POST",
    url: "/api/v1/read",
    summary:
      "Read points on their bus now, at most 200, within 3 s; without a link nothing can be read. Nothing moves, and nothing is stored but the audit",
    role: "operator",
    params: NOTHING,
    query: NOTHING,
    body,
    status: 200,
    answer,
    handle: async ({ body: asked, principal }) => {
      const gatewayId = GatewayId(asked.gatewayId);
      const pointIds = await pointsOf(database, asked);
      const told = await view.states(gatewayId, pointIds);
      const end = await reads.read({ gatewayId, pointIds, by: actorOf(principal) });
      return answerOf({ gatewayId, pointIds, told, end });
    },
  });
}

/** @throws {OperatorProblem} `bad-request`, `not-found` */
async function pointsOf(database: Database, asked: z.infer<typeof body>): Promise<readonly PointId[]> {
  const { gatewayId, deviceId, pointIds } = asked;
  if ((deviceId === undefined) === (pointIds === undefined))
    throw new OperatorProblem("bad-request", "name a deviceId, or pointIds, and not both", "");
  if (pointIds !== undefined) return [...new Set(pointIds)].map(PointId);
  const all = await listReadablePointIds(database, GatewayId(gatewayId), deviceId ?? "");
  if (all.length === 0)
    throw new OperatorProblem("not-found", `${gatewayId} has told of nothing to read on ${deviceId}`);
  if (all.length <= READ_POINTS_MAX) return all;
  const message = `${deviceId} has ${all.length} points: name at most ${READ_POINTS_MAX} of them in pointIds`;
  throw new OperatorProblem("bad-request", message, "/deviceId");
}

/** @throws {OperatorProblem} `conflict`, `too-many` */
function answerOf(of: {
  readonly gatewayId: GatewayId;
  readonly pointIds: readonly PointId[];
  readonly told: readonly StateView[];
  readonly end: ReadEnd;
}): z.infer<typeof answer> {
  const { gatewayId, pointIds, told, end } = of;
  if (!("took" in end)) throw refusalOf(gatewayId, end.kind);
  const findings = end.kind === "answered" ? end.findings : [];
  return {
    gatewayId,
    outcome: end.kind === "answered" ? "read" : "not-answered",
    tookMs: Math.round(end.took),
    points: pointIds.map((pointId) => {
      const state = told.find((each) => each.pointId === pointId);
      const finding = findings.find((each) => each.pointId === pointId);
      return {
        pointId,
        unit: state?.unit ?? null,
        read: finding === undefined ? null : pick(finding),
        told: state === undefined ? null : { ...pick(state), confirmedAgeMs: state.confirmedAgeMs },
      };
    }),
  };
}

function pick({ value, quality, cause }: z.infer<typeof known>): z.infer<typeof known> {
  return { value, quality, cause };
}

function refusalOf(gatewayId: GatewayId, kind: "offline" | "unsupported" | "busy"): OperatorProblem {
  switch (kind) {
    case "offline":
      return new OperatorProblem(
        "conflict",
        `${gatewayId} has no live link, so nothing can be read: GET /api/v1/state shows what it told last`,
      );
    case "unsupported":
      return new OperatorProblem(
        "conflict",
        `${gatewayId} does not know how to read for the center: update it`,
      );
    default:
      return new OperatorProblem("too-many", "too many reads wait for their answers: try again in 3 s");
  }
}
