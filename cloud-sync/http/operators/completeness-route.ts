import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { CenterView } from "./center-view.ts";
import { addOperation, NOTHING } from "./operation.ts";
import type { OperatorGuard } from "./operator-guard.ts";

const completenessView = z.object({
  gatewayId: z.string(),
  link: z.enum(["up", "degraded", "down"]),
  /** By profile of the device and poll class of the point; control state and the rest for themselves. */
  counts: z.array(
    z.object({
      class: z.string(),
      profileId: z.string(),
      pollClass: z.string(),
      /** Points that orders rest on: that can be commanded, prove an order, or that an interlock asks. */
      isControl: z.boolean(),
      /** Polled ones; what is only written has no state. */
      points: z.number(),
      told: z.number(),
      /** Good by the gateway's word, confirmed within their greatest age, over a link that is not down. */
      good: z.number(),
    }),
  ),
});

/** Is all there? In one small answer, where asking for every point would be tens of megabytes. */
export function addCompletenessRoute(
  app: FastifyInstance,
  guard: OperatorGuard,
  { view }: { readonly view: CenterView },
): void {
  addOperation(app, guard, {
    method: "GET",
    url: "/api/v1/completeness",
    summary: "How many points of each gateway there are, were told and are good now",
    role: "viewer",
    params: NOTHING,
    query: NOTHING,
    body: NOTHING,
    status: 200,
    answer: z.object({ gateways: z.array(completenessView) }),
    handle: async () => ({ gateways: await view.completeness() }),
  });
}
