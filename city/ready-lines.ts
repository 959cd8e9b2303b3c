import { z } from "zod";

/** What each program of the city says when it is ready, in the JSON line on its standard output. */
export const simulatorsReady = z.looseObject({
  bridges: z
    .array(z.looseObject({ id: z.string(), host: z.string(), port: z.number(), unit: z.number() }))
    .min(1),
  control: z.looseObject({ host: z.string(), port: z.number() }),
});
export type SimulatorsReady = z.infer<typeof simulatorsReady>;
export const centerReady = z.looseObject({
  operators: z.string(),
  gateways: z.string(),
  tokenFile: z.string(),
});
export type CenterReady = z.infer<typeof centerReady>;
const gateway = z.looseObject({
  id: z.string(),
  socket: z.string(),
  mqtt: z.looseObject({ host: z.string(), port: z.number() }),
});
export type GatewayReady = z.infer<typeof gateway>;
const gatewaysReady = z.looseObject({ gateways: z.tuple([gateway]) });

/** What a program with one gateway says. */
export function parseGatewayReady(line: unknown): GatewayReady {
  return gatewaysReady.parse(line).gateways[0];
}
