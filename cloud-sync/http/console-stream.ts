import type { ServerResponse } from "node:http";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { type CancelTimer, type Clock, Seconds } from "../../domain/time.ts";
import type { ConsoleBoard } from "./console-board.ts";
import { messagesFor, type ViewFilter } from "./console-viewer.ts";
import type { OperatorGuard } from "./operators/operator-guard.ts";
import { OperatorProblem } from "./operators/operator-problem.ts";
import { parseInput } from "./operators/parse-input.ts";

export interface ConsoleStreamParts {
  readonly board: ConsoleBoard;
  readonly clock: Clock;
  readonly guard: OperatorGuard;
}

export const VIEWERS_MAX = 200;
/** Bytes that may wait for one console: who does not read is cut off, comes again, and reads all anew. */
const PENDING_MAX_BYTES = 4 * 1024 * 1024;
const COMMENT_PERIOD = Seconds(15);
const BOX = /^(-?\d+(\.\d+)?,){3}-?\d+(\.\d+)?$/;

const query = z.strictObject({
  /** Class names joined by commas. */
  classes: z.string().max(400).optional(),
  /** `west,south,east,north` in degrees. */
  bbox: z.string().max(120).regex(BOX, "is not west,south,east,north in degrees").optional(),
  /** `<gateway>/<device>`. */
  device: z.string().max(129).optional(),
});

/** `GET /api/v1/view/stream`: server-sent events of what one console shows, at most one of each kind every 500 ms. */
export function addConsoleStream(app: FastifyInstance, parts: ConsoleStreamParts): void {
  const { board, clock, guard } = parts;
  const schema = {
    summary:
      "Server-sent events for the console: `hello levels gateways device commands places`, only of what its view shows",
    description: "Needs the role viewer.",
    security: [{ token: [] }],
  };
  const onRequest = (request: FastifyRequest) => guard.admit(request, "viewer");
  app.get("/api/v1/view/stream", { schema, onRequest }, async (request, reply) => {
    const filter = filterOf(parseInput(query, request.query));
    if (board.viewers >= VIEWERS_MAX)
      throw new OperatorProblem("too-many", `${VIEWERS_MAX} consoles are open: close some`);
    const index = await board.index();
    reply.hijack();
    const response = reply.raw;
    response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
      "x-content-type-options": "nosniff",
    });
    const send = (event: string, data: object): void =>
      writeOrCut(response, `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    const leave = board.follow((changes) => {
      const context = { nowMs: clock.now(), linkOf: board.linkOf.bind(board) };
      for (const { event, data } of messagesFor(filter, changes, context)) send(event, data);
    });
    const stop = remindByPeriod(response, request, parts);
    response.once("close", () => {
      leave();
      stop();
    });
    response.once("error", () => response.destroy());
    send("hello", { tag: index.tag, nowMs: clock.now() });
    return reply;
  });
}

function filterOf(asked: z.infer<typeof query>): ViewFilter {
  const [west = 0, south = 0, east = 0, north = 0] = asked.bbox?.split(",").map(Number) ?? [];
  return {
    classes: new Set((asked.classes ?? "").split(",").filter((name) => name !== "")),
    box: asked.bbox === undefined ? null : [west, south, east, north],
    device: asked.device ?? null,
  };
}

function writeOrCut(response: ServerResponse, text: string): void {
  if (response.destroyed) return;
  if (response.writableLength + text.length > PENDING_MAX_BYTES) response.destroy();
  else response.write(text);
}

/** A comment tells both ends that the other lives; a token that was revoked meanwhile ends the stream. */
function remindByPeriod(
  response: ServerResponse,
  request: FastifyRequest,
  { guard, clock }: ConsoleStreamParts,
): CancelTimer {
  let cancel: CancelTimer = () => undefined;
  const look = async (): Promise<void> => {
    if ((await guard.identify(request)) === undefined) response.end();
    else writeOrCut(response, ": still here\n\n");
  };
  const again = (): void => {
    cancel = clock.schedule(COMMENT_PERIOD, () => {
      if (response.destroyed) return;
      again();
      look().catch(() => response.destroy());
    });
  };
  again();
  return () => cancel();
}
