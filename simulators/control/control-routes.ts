import { LAMP_ACTIONS, type LampView } from "../dali/lamp-control.ts";
import { Fields, InvalidField } from "../input-fields.ts";
import type { RunningBridge, SimulatedWorld } from "../simulated-world.ts";
import { findCabinet, listCabinets, treatCabinet } from "./cabinet-routes.ts";
import type { ControlAnswer, ControlRequest } from "./control-answer.ts";
import { findDevice, listDevices, showDevice, treatDevice } from "./device-routes.ts";
import { answerFaults } from "./fault-routes.ts";

/** One request to one answer. @throws {InvalidField} for the sender's mistake. */
export async function answerControl(world: SimulatedWorld, request: ControlRequest): Promise<ControlAnswer> {
  const route = `${request.method} /${request.path[0] ?? ""}${request.path.length > 1 ? "/:id" : ""}`;
  const id = request.path[1] ?? "";
  switch (route) {
    case "GET /health":
      return ok(health(world));
    case "GET /journal":
      return ok(world.journal.query(parseJournalQuery(request.query)));
    case "GET /lamps":
      return ok({ lamps: bridgesAsked(world, request.query.get("bridge")).flatMap(lampsOf) });
    case "GET /lamps/:id":
      return findLamp(world, id);
    case "POST /lamps/:id":
      return treatLamp(world, id, request.body);
    case "GET /cabinets":
      return ok({ cabinets: listCabinets(world) });
    case "GET /cabinets/:id":
    case "POST /cabinets/:id":
      return answerCabinet(world, request);
    case "GET /devices":
      return ok({ devices: listDevices(world) });
    case "GET /devices/:id":
    case "POST /devices/:id":
      return await answerDevice(world, request);
    case "GET /faults":
    case "POST /faults":
    case "DELETE /faults":
    case "DELETE /faults/:id":
      return answerFaults(world, request);
    default:
      return notFound(`${request.method} /${request.path.join("/")}; see --help for what there is`);
  }
}

function answerCabinet(world: SimulatedWorld, { method, path, body }: ControlRequest): ControlAnswer {
  const id = path[1] ?? "";
  const cabinet = findCabinet(world, id);
  if (cabinet === undefined) return notFound(`cabinet ${JSON.stringify(id)}`);
  if (method === "POST") treatCabinet(cabinet, body);
  return ok(cabinet.controller.view());
}

async function answerDevice(
  world: SimulatedWorld,
  { method, path, body }: ControlRequest,
): Promise<ControlAnswer> {
  const id = path[1] ?? "";
  const running = findDevice(world, id);
  if (running === undefined) return notFound(`device ${JSON.stringify(id)}`);
  if (method === "POST") await treatDevice(running, body);
  return ok(showDevice(running));
}

const ok = (body: unknown): ControlAnswer => ({ status: 200, body });
const notFound = (what: string): ControlAnswer => ({
  status: 404,
  body: { error: { message: `no ${what}` } },
});

function health(world: SimulatedWorld) {
  return {
    status: "ok",
    bridges: world.bridges.map(({ id, unit, server, bridge }) => ({
      id,
      unit,
      ...server.address,
      lamps: bridge.state.places.length,
      connections: server.connectionCount,
      requests: server.requestCount,
    })),
    devices: world.devices.length,
    journal: { newest: world.journal.newest, effects: world.journal.effects },
  };
}

function parseJournalQuery(query: ReadonlyMap<string, string>) {
  const wholeNumbers = new Set(["since", "limit"]);
  const parsed = [...query].map(([name, text]) => [name, wholeNumbers.has(name) ? Number(text) : text]);
  const fields = new Fields(Object.fromEntries(parsed));
  const asked = {
    since: fields.optionalWholeNumber("since", { min: 0, max: Number.MAX_SAFE_INTEGER }),
    limit: fields.optionalWholeNumber("limit", { min: 1, max: 10_000 }),
    device: fields.has("device") ? fields.text("device") : undefined,
    bridge: fields.has("bridge") ? fields.text("bridge") : undefined,
    kind: fields.has("kind") ? fields.oneOf("kind", ["write", "order", "effect"]) : undefined,
  };
  fields.refuseUnknown();
  return asked;
}

/** @throws {InvalidField} for a bridge that is not here; all of them when none is named. */
function bridgesAsked(world: SimulatedWorld, id: string | undefined): readonly RunningBridge[] {
  if (id === undefined) return world.bridges;
  const asked = world.bridges.filter((bridge) => bridge.id === id);
  if (asked.length === 0)
    throw new InvalidField("/bridge", `a bridge that is here, not ${JSON.stringify(id)}`);
  return asked;
}

function lampsOf({ id, bridge }: RunningBridge): (LampView & { readonly bridge: string })[] {
  return bridge.lamps().map((lamp) => ({ ...lamp, bridge: id }));
}

function findLamp(world: SimulatedWorld, lampId: string): ControlAnswer {
  for (const { id, bridge } of world.bridges) {
    const lamp = lampId.startsWith(`${id}-`) ? bridge.findLamp(lampId) : undefined;
    if (lamp !== undefined) return ok({ ...lamp, bridge: id });
  }
  return notFound(`lamp ${JSON.stringify(lampId)}`);
}

function treatLamp(world: SimulatedWorld, lampId: string, body: unknown): ControlAnswer {
  const fields = new Fields(body);
  const action = fields.oneOf("action", LAMP_ACTIONS);
  fields.refuseUnknown();
  const owners = world.bridges.filter(({ id }) => lampId.startsWith(`${id}-`));
  return owners.some(({ bridge }) => bridge.treat(lampId, action))
    ? findLamp(world, lampId)
    : notFound(`lamp ${JSON.stringify(lampId)}`);
}
