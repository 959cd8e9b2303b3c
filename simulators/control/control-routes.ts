import { LAMP_ACTIONS, type LampView } from "../dali/lamp-control.ts";
import { Fields, InvalidField } from "../input-fields.ts";
import { parseFault } from "../modbus/parse-fault.ts";
import type { RunningBridge, SimulatedWorld } from "../simulated-world.ts";
import { findCabinet, listCabinets, treatCabinet } from "./cabinet-routes.ts";

export interface ControlRequest {
  readonly method: string;
  /** Parts of the path, decoded. */
  readonly path: readonly string[];
  readonly query: ReadonlyMap<string, string>;
  /** Parsed JSON; undefined when there was no body. */
  readonly body: unknown;
}

export interface ControlAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** One request to one answer. @throws {InvalidField} for the sender's mistake. */
export function answerControl(world: SimulatedWorld, request: ControlRequest): ControlAnswer {
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
    case "GET /faults":
      return ok({ faults: bridgesAsked(world, request.query.get("bridge")).flatMap(faultsOf) });
    case "POST /faults":
      return addFault(world, request.body);
    case "DELETE /faults":
      return clearFaults(world, request.query.get("bridge"));
    case "DELETE /faults/:id":
      return removeFault(world, { bridge: request.query.get("bridge"), id });
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
    kind: fields.has("kind") ? fields.oneOf("kind", ["write", "effect"]) : undefined,
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

function faultsOf({ id, server }: RunningBridge) {
  return server.faults.list().map((fault) => ({ ...fault, bridge: id }));
}

function addFault(world: SimulatedWorld, body: unknown): ControlAnswer {
  const fields = new Fields(body);
  const bridges = bridgesAsked(world, fields.has("bridge") ? fields.text("bridge") : undefined);
  const spec = parseFault(fields);
  fields.refuseUnknown();
  const faults = bridges.map(({ id, server }) => ({ bridge: id, id: server.faults.add(spec) }));
  return { status: 201, body: { faults } };
}

function clearFaults(world: SimulatedWorld, bridge: string | undefined): ControlAnswer {
  for (const { server } of bridgesAsked(world, bridge)) server.faults.clear();
  return ok({ faults: [] });
}

function removeFault(
  world: SimulatedWorld,
  asked: { readonly bridge: string | undefined; readonly id: string },
): ControlAnswer {
  // Ids count per bridge, so one alone names nothing.
  if (asked.bridge === undefined) throw new InvalidField("/bridge", "the bridge whose fault it is");
  const removed = bridgesAsked(world, asked.bridge).some(({ server }) =>
    server.faults.remove(Number(asked.id)),
  );
  return removed
    ? ok({ removed: Number(asked.id) })
    : notFound(`fault ${asked.id} on bridge ${asked.bridge}`);
}
