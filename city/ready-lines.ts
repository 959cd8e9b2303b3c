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
export const gatewayReady = z.looseObject({
  socket: z.string(),
  mqtt: z.looseObject({ host: z.string(), port: z.number() }),
});
export type GatewayReady = z.infer<typeof gatewayReady>;
