import { Fields, InvalidField } from "../input-fields.ts";
import type { FaultPlan } from "../modbus/fault-plan.ts";
import { parseFault } from "../modbus/parse-fault.ts";
import type { SimulatedWorld } from "../simulated-world.ts";
import type { ControlAnswer, ControlRequest } from "./control-answer.ts";

/** What has faults between it and the world; `bridge` is its id, whether it is a bridge, a cabinet or a device. */
interface Faulty {
  readonly bridge: string;
  readonly faults: FaultPlan;
}

/** GET lists, POST adds, DELETE takes away one or all. @throws {InvalidField} */
export function answerFaults(
  world: SimulatedWorld,
  { method, path, query, body }: ControlRequest,
): ControlAnswer {
  const bridge = query.get("bridge");
  if (method === "POST") return addFault(world, body);
  if (method === "GET") return { status: 200, body: { faults: asked(world, bridge).flatMap(list) } };
  if (path[1] !== undefined) return removeFault(world, { bridge, id: path[1] });
  for (const { faults } of asked(world, bridge)) faults.clear();
  return { status: 200, body: { faults: [] } };
}

/** @throws {InvalidField} for one that is not here; all of them when none is named. */
function asked({ bridges, devices }: SimulatedWorld, id: string | undefined): readonly Faulty[] {
  const all = [
    ...bridges.map((bridge) => ({ bridge: bridge.id, faults: bridge.server.faults })),
    ...devices.flatMap(({ id: bridge, device }) =>
      device.faults === undefined ? [] : [{ bridge, faults: device.faults }],
    ),
  ];
  if (id === undefined) return all;
  const found = all.filter(({ bridge }) => bridge === id);
  if (found.length === 0)
    throw new InvalidField("/bridge", `a bridge or device that is here, not ${JSON.stringify(id)}`);
  return found;
}

function list({ bridge, faults }: Faulty) {
  return faults.list().map((fault) => ({ ...fault, bridge }));
}

function addFault(world: SimulatedWorld, body: unknown): ControlAnswer {
  const fields = new Fields(body);
  const faulty = asked(world, fields.has("bridge") ? fields.text("bridge") : undefined);
  const spec = parseFault(fields);
  fields.refuseUnknown();
  return {
    status: 201,
    body: { faults: faulty.map(({ bridge, faults }) => ({ bridge, id: faults.add(spec) })) },
  };
}

function removeFault(
  world: SimulatedWorld,
  { bridge, id }: { readonly bridge: string | undefined; readonly id: string },
): ControlAnswer {
  // Ids count per bridge, so one alone names nothing.
  if (bridge === undefined) throw new InvalidField("/bridge", "the bridge whose fault it is");
  const isRemoved = asked(world, bridge).some(({ faults }) => faults.remove(Number(id)));
  if (isRemoved) return { status: 200, body: { removed: Number(id) } };
  return { status: 404, body: { error: { message: `no fault ${id} on bridge ${bridge}` } } };
}
