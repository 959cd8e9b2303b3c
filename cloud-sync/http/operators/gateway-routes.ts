import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { type GatewayId, GatewayId as gatewayIdOf, isSlug } from "../../../domain/ids.ts";
import { actorOf } from "../../access/principal.ts";
import type { Enrolment } from "../../registry/enrolment.ts";
import type { Database } from "../../store/database.ts";
import { splitPointId } from "../../store/points/split-point-id.ts";
import { findGateway } from "../../store/tables/gateways.ts";
import { type DeviceView, listDevicePointIds, listDevices } from "../../store/views/device-view.ts";
import { type CenterView, gatewayView } from "./center-view.ts";
import { addOperation, NOTHING } from "./operation.ts";
import type { OperatorGuard } from "./operator-guard.ts";
import { OperatorProblem } from "./operator-problem.ts";
import { stateView } from "./state-view.ts";

export interface GatewayRouteParts {
  readonly database: Database;
  readonly view: CenterView;
  readonly enrolment: Enrolment;
  /** `https://host:port` as gateways reach it. */
  readonly gatewaysUrl: string;
}

const DEVICES_MAX = 10_000;
export const slug = z
  .string()
  .refine(isSlug, "is not lower-case words joined by hyphens, at most 64 characters, e.g. gw-dijon");
const plainValue = z.union([z.number(), z.boolean(), z.string()]);
const argumentView = z.object({
  name: z.string(),
  type: z.enum(["number", "boolean", "text"]),
  unit: z.string(),
  range: z.object({ min: z.number(), max: z.number() }).optional(),
  oneOf: z.array(plainValue).optional(),
});
const deviceView = z.object({
  id: z.string(),
  gatewayId: z.string(),
  name: z.string(),
  class: z.string(),
  service: z.string(),
  profileId: z.string(),
  position: z.object({ latitude: z.number(), longitude: z.number() }).nullable(),
  parent: z.string().nullable(),
  members: z.array(z.string()),
  points: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      type: z.enum(["number", "boolean", "text", "action"]).nullable(),
      unit: z.string().nullable(),
      access: z.enum(["read", "write", "read-write"]).nullable(),
      range: z.object({ min: z.number(), max: z.number() }).nullable(),
      commandClass: z.enum(["K1", "K2", "K3"]).nullable(),
      maxAgeMs: z.number().nullable(),
      readBack: z.string().nullable(),
      /** What an action is run with, in order. Absent, as the two below: there is none, or its gateway did not tell. */
      args: z.array(argumentView).optional(),
      /** The only texts that the point takes. */
      oneOf: z.array(z.string()).optional(),
      /** What the read-back shows once it is done; absent also: the value that was ordered. */
      expects: z.union([z.object({ argument: z.string() }), z.object({ value: plainValue })]).optional(),
    }),
  ),
});

export function addGatewayRoutes(app: FastifyInstance, guard: OperatorGuard, parts: GatewayRouteParts): void {
  addGateways(app, guard, parts);
  addDevices(app, guard, parts);
}

function addGateways(app: FastifyInstance, guard: OperatorGuard, parts: GatewayRouteParts): void {
  const { view, enrolment, gatewaysUrl } = parts;
  const common = { params: NOTHING, query: NOTHING, body: NOTHING } as const;
  addOperation(app, guard, {
    ...common,
    method: "GET",
    url: "/api/v1/gateways",
    summary: "All gateways with their links",
    role: "viewer",
    status: 200,
    answer: z.object({ gateways: z.array(gatewayView) }),
    handle: async () => ({ gateways: await view.gateways() }),
  });
  addOperation(app, guard, {
    ...common,
    method: "POST",
    url: "/api/v1/gateways",
    summary: "Register a gateway, or make a new claim for one: the claim works once, for 24 h",
    role: "admin",
    body: z.strictObject({
      id: slug,
      name: z.string().trim().min(1).max(200),
      /** Where this gateway reaches the center, if not at the address the center knows of itself. */
      centerUrl: z.url().startsWith("https://").max(300).optional(),
    }),
    status: 201,
    answer: z.object({ id: z.string(), claim: z.string(), expiresAtMs: z.number() }),
    handle: async ({ body: { id, name, centerUrl = gatewaysUrl }, principal }) => {
      const asked = {
        gatewayId: gatewayIdOf(id),
        name,
        centerUrl,
        madeBy: actorOf(principal),
      };
      const { claim, expiresAt } = await enrolment.makeClaim(asked);
      return { id, claim, expiresAtMs: expiresAt };
    },
  });
  addOperation(app, guard, {
    ...common,
    method: "GET",
    url: "/api/v1/gateways/:id",
    summary: "One gateway with its link",
    role: "viewer",
    params: z.strictObject({ id: slug }),
    status: 200,
    answer: gatewayView,
    handle: async ({ params: { id } }) => {
      const gateway = await view.gateway(gatewayIdOf(id));
      if (gateway === undefined) throw noGateway(id);
      return gateway;
    },
  });
}

function addDevices(app: FastifyInstance, guard: OperatorGuard, { database, view }: GatewayRouteParts): void {
  const common = { params: NOTHING, body: NOTHING } as const;
  const known = async (id: string): Promise<GatewayId> => {
    const gatewayId = gatewayIdOf(id);
    if ((await findGateway(database, gatewayId)) === undefined) throw noGateway(id);
    return gatewayId;
  };
  addOperation(app, guard, {
    ...common,
    method: "GET",
    url: "/api/v1/devices",
    summary:
      "Devices of a gateway with their points, in order of their ids; the next page is `after` the last",
    role: "viewer",
    query: z.strictObject({
      gateway: slug,
      after: slug.optional(),
      limit: z.coerce.number().int().min(1).max(DEVICES_MAX).default(1_000),
    }),
    status: 200,
    answer: z.object({ devices: z.array(deviceView) }),
    handle: async ({ query: { gateway, after = "", limit } }) => {
      const gatewayId = await known(gateway);
      const devices = await listDevices(database, { gatewayId, after, limit });
      return { devices: devices.map((device) => deviceOf(gatewayId, device)) };
    },
  });
  addOperation(app, guard, {
    ...common,
    method: "GET",
    url: "/api/v1/state",
    summary: "Current state of a gateway's points, with quality and age",
    role: "viewer",
    // All points of a device, or the points of one name of all devices: all of a gateway's can be tens of megabytes.
    query: z.strictObject({ gateway: slug, device: slug.optional(), name: slug.optional() }),
    status: 200,
    answer: z.object({ states: z.array(stateView) }),
    handle: async ({ query: { gateway, device, name } }) => {
      const gatewayId = await known(gateway);
      const points = device === undefined ? undefined : await listDevicePointIds(database, gatewayId, device);
      const named = points?.filter((id) => name === undefined || splitPointId(id)[1] === name);
      return { states: await view.states(gatewayId, named ?? (name === undefined ? undefined : { name })) };
    },
  });
}

function deviceOf(gatewayId: GatewayId, device: DeviceView): z.infer<typeof deviceView> {
  const { latitude, longitude } = device;
  return {
    id: device.device_id,
    gatewayId,
    name: device.name,
    class: device.class,
    service: device.service,
    profileId: device.profile_id,
    position: latitude === null || longitude === null ? null : { latitude, longitude },
    parent: device.parent,
    members: [...device.members],
    points: device.points.map((point) => ({
      id: point.point_id,
      name: point.name,
      type: point.type,
      unit: point.unit,
      access: point.access,
      range:
        point.range_min === null || point.range_max === null
          ? null
          : { min: point.range_min, max: point.range_max },
      commandClass: point.command_class,
      maxAgeMs: point.max_age_ms,
      readBack: point.read_back,
      ...point.takes,
    })),
  };
}

function noGateway(id: string): OperatorProblem {
  return new OperatorProblem("not-found", `there is no gateway ${id}: see GET /api/v1/gateways`);
}
