import { Fields, InvalidField } from "../input-fields.ts";
import { type OpenedLine, PACED_LINE_HELP, pacedLineOf } from "../line/paced-line.ts";
import { memberHand } from "../member-hand.ts";
import { seedOfName } from "../seeded-chance.ts";
import type { DeviceAction, DeviceKind, SimulatedDevice } from "../simulated-device.ts";
import { hangOn } from "./door-line.ts";
import { DOOR_HELP, type DoorConfig, DoorUnit, parseDoor } from "./door-unit.ts";

/** A poll in a secure channel and its answer are 28 characters: at 9600 baud eight doors take 0.23 s a turn (computed). */
const DOORS_MAX = 8;

type DoorOnLine = DoorConfig & { readonly id: string };

/** Several doors on one RS-485 line, each with its own address, key and name. */
export const osdpLineKind: DeviceKind = {
  about: `1 to ${DOORS_MAX} OSDP door units on one line: "doors": [{"id","address",...}], each with ${DOOR_HELP}; ${PACED_LINE_HELP}`,
  parse: (fields) => {
    const doors = parseDoors(fields);
    const openLine = pacedLineOf(fields);
    return async (around) => {
      await using made = new AsyncDisposableStack();
      const opened = await openLine(around);
      const line = made.use(opened.line);
      const units = doors.map(({ id, ...config }) =>
        made.use(new DoorUnit(config, { ...around, id, seed: seedOfName(around.seed, id) })),
      );
      hangOn(line, units);
      return lineDevice(opened, units, made.move());
    };
  },
};

function parseDoors(fields: Fields): readonly DoorOnLine[] {
  const doors = fields.list("doors").map((data, at) => {
    const member = new Fields(data, `${fields.pointerTo("doors")}/${at}`);
    const door = { id: member.slug("id"), ...parseDoor(member) };
    member.refuseUnknown();
    return door;
  });
  if (doors.length === 0 || doors.length > DOORS_MAX)
    throw new InvalidField(fields.pointerTo("doors"), `1 to ${DOORS_MAX} doors`);
  refuseRepeats(fields, doors, "id");
  refuseRepeats(fields, doors, "address");
  return doors;
}

function refuseRepeats(fields: Fields, doors: readonly DoorOnLine[], member: "id" | "address"): void {
  const values = doors.map((door) => door[member]);
  const repeated = values.findIndex((value, at) => values.indexOf(value) < at);
  if (repeated !== -1)
    throw new InvalidField(
      `${fields.pointerTo("doors")}/${repeated}/${member}`,
      "one that no other door on the line has",
    );
}

function lineDevice(
  { line, actions }: OpenedLine,
  doors: readonly DoorUnit[],
  resources: AsyncDisposableStack,
): SimulatedDevice {
  return {
    get reach() {
      return { ...line.reach, doors: doors.map(({ id, address }) => ({ id, address })) };
    },
    actions: [...actions, ...doorHands(doors)],
    view: () => ({ doors: Object.fromEntries(doors.map((door) => [door.id, door.view()])) }),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** Every door has the same hands; each says at which door it is. */
function doorHands(doors: readonly DoorUnit[]): readonly DeviceAction[] {
  return (doors[0]?.actions ?? []).map((action, at) =>
    memberHand(action, { word: "door", members: doors }, (door, fields) => {
      const own = door.actions[at];
      if (own === undefined) throw new RangeError(`door ${door.id} has no hand ${action.name}`);
      return own.prepare(fields);
    }),
  );
}
