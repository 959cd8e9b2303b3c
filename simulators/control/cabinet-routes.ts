import { CABINET_ACTIONS, FEEDER_ACTIONS } from "../cabinet/cabinet-control.ts";
import { Fields } from "../input-fields.ts";
import type { RunningCabinet, SimulatedWorld } from "../simulated-world.ts";

/** Where each cabinet listens, and its units. */
export function listCabinets({ cabinets }: SimulatedWorld) {
  return cabinets.map(({ id, server, units }) => ({ id, ...server.address, units }));
}

export function findCabinet(world: SimulatedWorld, id: string): RunningCabinet | undefined {
  return world.cabinets.find((cabinet) => cabinet.id === id);
}

/** @throws {InvalidField} unless the body is an action, with the feeder (1..8) where it is one feeder's. */
export function treatCabinet({ controller }: RunningCabinet, body: unknown): void {
  const fields = new Fields(body);
  const action = fields.oneOf("action", CABINET_ACTIONS);
  const feeder = FEEDER_ACTIONS.includes(action) ? fields.wholeNumber("feeder", { min: 1, max: 8 }) : 1;
  fields.refuseUnknown();
  controller.treat(action, feeder - 1);
}
