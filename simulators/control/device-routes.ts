import { Fields, InvalidField } from "../input-fields.ts";
import type { RunningDevice, SimulatedWorld } from "../simulated-world.ts";

/** Every device, where it is reached, and what can be done to it. */
export function listDevices({ devices }: SimulatedWorld) {
  return devices.map(describe);
}

export function findDevice({ devices }: SimulatedWorld, id: string): RunningDevice | undefined {
  return devices.find((device) => device.id === id);
}

/** What is in the list, and how the device is now. */
export function showDevice(running: RunningDevice) {
  return { ...describe(running), state: running.device.view() };
}

/** @throws {InvalidField} unless the body is one of its actions, with what that takes. */
export async function treatDevice({ device }: RunningDevice, body: unknown): Promise<void> {
  const fields = new Fields(body);
  const name = fields.oneOf(
    "action",
    device.actions.map((action) => action.name),
  );
  const act = device.actions.find((action) => action.name === name)?.prepare(fields);
  if (act === undefined) throw new InvalidField("/action", "an action of this device");
  fields.refuseUnknown();
  await act();
}

function describe({ id, kind, device }: RunningDevice) {
  const actions = device.actions.map(({ name, about, takes = {} }) => ({ name, about, takes }));
  return { id, kind, ...device.reach, actions };
}
