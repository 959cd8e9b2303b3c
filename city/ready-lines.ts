import { z } from "zod";

/** What each program of the city says when it is ready, in the JSON line on its standard output. */
const cabinetSocket = z.looseObject({
  id: z.string(),
  host: z.string(),
  port: z.number(),
  units: z.object({ bridge: z.number(), controller: z.number(), meter: z.number() }),
});
export type CabinetSocket = z.infer<typeof cabinetSocket>;
/** One of the other devices; besides these two where it is reached, as its kind tells it. */
const deviceReach = z.looseObject({ id: z.string(), kind: z.string() });
export type DeviceReach = z.infer<typeof deviceReach>;
export const simulatorsReady = z.looseObject({
  bridges: z.array(z.looseObject({ id: z.string(), host: z.string(), port: z.number(), unit: z.number() })),
  cabinets: z.array(cabinetSocket),
  devices: z.array(deviceReach),
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
const gatewaysReady = z.looseObject({ gateways: z.array(gateway).min(1) });

/** By gateway, in the order of the program's sites. */
export function parseGatewaysReady(line: unknown): readonly GatewayReady[] {
  return gatewaysReady.parse(line).gateways;
}

/** What a program with one gateway says. */
export function parseGatewayReady(line: unknown): GatewayReady {
  const [only, ...others] = parseGatewaysReady(line);
  if (only === undefined || others.length > 0) throw new Error("the program has not one gateway alone");
  return only;
}
