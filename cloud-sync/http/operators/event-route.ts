import type { ServerResponse } from "node:http";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { GatewayId } from "../../../domain/ids.ts";
import { type CancelTimer, type Clock, Seconds } from "../../../domain/time.ts";
import { type EventHub, WATCHERS_MAX } from "./event-hub.ts";
import { slug } from "./gateway-routes.ts";
import { addOperation, NOTHING } from "./operation.ts";
import type { OperatorGuard } from "./operator-guard.ts";
import { OperatorProblem } from "./operator-problem.ts";

/** Bytes that may wait for one watcher: who does not read is cut off, reconnects, and reads the state anew. */
const PENDING_MAX_BYTES = 1024 * 1024;
const COMMENT_PERIOD = Seconds(15);

export interface EventRouteParts {
  readonly hub: EventHub;
  readonly clock: Clock;
}

/** Server-sent events. There is no replay: who connects reads the state first, then follows. */
export function addEventRoute(app: FastifyInstance, guard: OperatorGuard, parts: EventRouteParts): void {
  const { hub, clock } = parts;
  addOperation(app, guard, {
    method: "GET",
    url: "/api/v1/events",
    summary:
      "Server-sent events `state`, `confirmed`, `link`, `command`, `catalogue` and `resync` (read the state anew); read with fetch, so that the token stays out of the URL",
    role: "viewer",
    params: NOTHING,
    query: z.strictObject({ gateway: slug.optional() }),
    body: NOTHING,
    status: 200,
    answer: z.string(),
    handle: async ({ query, request, reply }) => {
      if (hub.watchers >= WATCHERS_MAX)
        throw new OperatorProblem("too-many", `${WATCHERS_MAX} watchers are connected: close some`);
      const gatewayId = query.gateway === undefined ? null : GatewayId(query.gateway);
      reply.hijack();
      const response = reply.raw;
      response.writeHead(200, {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store",
        "x-accel-buffering": "no",
        "x-content-type-options": "nosniff",
      });
      const leave = hub.join({ gatewayId, write: (text) => writeOrCut(response, text) });
      const stop = remindByPeriod(response, { guard, request, clock });
      response.once("close", () => {
        leave();
        stop();
      });
      response.once("error", () => response.destroy());
      response.write(`event: hello\ndata: ${JSON.stringify({ centerTimeMs: clock.now() })}\n\n`);
      return undefined;
    },
  });
}

function writeOrCut(response: ServerResponse, text: string): void {
  if (response.writableLength + text.length > PENDING_MAX_BYTES) response.destroy();
  else response.write(text);
}

/** A comment tells both ends that the other lives; a token that was revoked meanwhile ends the stream. */
function remindByPeriod(
  response: ServerResponse,
  context: { readonly guard: OperatorGuard; readonly request: FastifyRequest; readonly clock: Clock },
): CancelTimer {
  const { guard, request, clock } = context;
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
