import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { GatewayId, isSlug, PointId } from "../../domain/ids.ts";
import { Instant } from "../../domain/time.ts";
import { findPoint } from "../store/tables/catalogues.ts";
import { findValueBefore, listHistoryBuckets } from "../store/views/console-history.ts";
import { ConsoleBoard, type ConsoleBoardParts } from "./console-board.ts";
import { viewConsoleDevice } from "./console-device.ts";
import { viewConsoleGateways } from "./console-gateways.ts";
import { sendCompressed } from "./console-static.ts";
import { addConsoleStream } from "./console-stream.ts";
import type { OperatorGuard } from "./operators/operator-guard.ts";
import { OperatorProblem } from "./operators/operator-problem.ts";
import { parseInput } from "./operators/parse-input.ts";

export interface ConsoleRouteParts extends ConsoleBoardParts {
  readonly guard: OperatorGuard;
}

/** The last instant that PostgreSQL and JavaScript both know well enough: the year 9999. */
const INSTANT_MAX = 253_402_300_799_999;
const BUCKETS_MAX = 2_000;
const slug = z.string().refine(isSlug, "is not lower-case words joined by hyphens, e.g. gw-dijon");
const instant = z.coerce.number().int().min(0).max(INSTANT_MAX);
const deviceQuery = z.strictObject({ gateway: slug, device: slug });
const historyQuery = z.strictObject({
  gateway: slug,
  point: z.string().max(129),
  from: instant,
  to: instant,
  buckets: z.coerce.number().int().min(1).max(BUCKETS_MAX).default(500),
});

/** What the console asks beside the operators' interface: `docs/console.md` says what each answers. */
export function addConsoleRoutes(app: FastifyInstance, parts: ConsoleRouteParts): void {
  const board = new ConsoleBoard(parts);
  app.addHook("onReady", async () => board.open());
  app.addHook("onClose", async () => board.close());
  const add = adderFor(app, parts.guard);
  add("places", "Every device as columns, for the map", (request, reply) =>
    sendPlaces(board, request, reply),
  );
  add("levels", "Level, quality, alarm and time of every place, and every gateway's link", (request, reply) =>
    sendLevels(board, parts, request, reply),
  );
  add("gateways", "Every gateway with its link, lanes, backlog and completeness", async () => ({
    nowMs: parts.clock.now(),
    gateways: await viewConsoleGateways(parts.database, board),
  }));
  add("device", "One device with all its points as they are", async (request) => {
    const { gateway, device } = parseInput(deviceQuery, request.query);
    const view = await viewConsoleDevice(parts.database, { gatewayId: gateway, deviceId: device });
    if (view === undefined)
      throw new OperatorProblem("not-found", `${gateway} has told of no device ${device}`);
    return { nowMs: parts.clock.now(), link: board.linkOf(GatewayId(gateway)), ...view };
  });
  add(
    "history",
    "A point over a span, in `buckets` parts with least, mean, greatest and last value",
    (request) => answerHistory(parts, request),
  );
  addConsoleStream(app, { board, clock: parts.clock, guard: parts.guard });
}

type Answerer = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

function adderFor(app: FastifyInstance, guard: OperatorGuard) {
  return (name: string, summary: string, answer: Answerer): void => {
    app.route({
      method: "GET",
      url: `/api/v1/view/${name}`,
      schema: { summary, description: "Needs the role viewer.", security: [{ token: [] }] },
      onRequest: (request) => guard.admit(request, "viewer"),
      handler: answer,
    });
  };
}

async function sendPlaces(
  board: ConsoleBoard,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const index = await board.index();
  const etag = `"${index.tag}"`;
  reply.header("etag", etag);
  if (request.headers["if-none-match"] === etag) return reply.status(304).send();
  return sendCompressed(request, reply, { type: JSON_TYPE, plain: index.json, gzip: index.gzip });
}

const JSON_TYPE = "application/json; charset=utf-8";

async function sendLevels(
  board: ConsoleBoard,
  { database, clock }: ConsoleRouteParts,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const { index, levels } = await board.levels();
  const all = Array.from({ length: index.count }, (_, place) => place);
  // The place is the position in the column: all are there.
  const { place: _, ...columns } = levels.columns(all);
  const gateways = await viewConsoleGateways(database, board);
  const plain = JSON.stringify({ tag: index.tag, nowMs: clock.now(), ...columns, gateways });
  return sendCompressed(request, reply, { type: JSON_TYPE, plain });
}

async function answerHistory({ database }: ConsoleRouteParts, request: FastifyRequest): Promise<object> {
  const { gateway, point, from, to, buckets } = parseInput(historyQuery, request.query);
  if (to <= from) throw new OperatorProblem("bad-request", "is not after /from", "/to");
  const row = await findPoint(database, GatewayId(gateway), pointOf(point));
  if (row === undefined) throw new OperatorProblem("not-found", `${gateway} has told of no point ${point}`);
  const span = { from: Instant(from), to: Instant(to), buckets };
  const before = await findValueBefore(database, row.point_no, span.from);
  const rows = await listHistoryBuckets(database, row.point_no, span);
  return {
    from,
    to,
    buckets,
    unit: row.unit,
    before: before ?? null,
    bucket: rows.map((each) => each.bucket),
    min: rows.map((each) => each.min),
    mean: rows.map((each) => each.mean),
    max: rows.map((each) => each.max),
    last: rows.map((each) => each.last),
    quality: rows.map((each) => each.quality),
    readings: rows.map((each) => each.readings),
  };
}

function pointOf(text: string): PointId {
  try {
    return PointId(text);
  } catch {
    throw new OperatorProblem("bad-request", "is not <device>/<point>, e.g. lamp-0042/dim-level", "/point");
  }
}
