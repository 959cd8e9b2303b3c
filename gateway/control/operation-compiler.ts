import type { CommandId, DeviceId } from "../../domain/ids.ts";
import { pointIdOf } from "../../domain/ids.ts";
import type { PointDefinition } from "../../domain/point.ts";
import { settleTime } from "../../domain/profile.ts";
import type { PointValue } from "../../domain/reading.ts";
import { conditionsOf } from "../../domain/safety/interlock.ts";
import type { Uptime } from "../../domain/time.ts";
import type { PointIndex, PointOfDevice } from "../site/site.ts";
import type { FieldInterlock, FieldOperation } from "./field-operation.ts";

/** The operation that carries out an admitted command: where to write, what must hold, what proves it, until when. Pure. */
export function compileOperation(
  target: PointOfDevice,
  order: {
    readonly commandId: CommandId;
    readonly value: PointValue;
    readonly args: readonly PointValue[];
    readonly deadline: Uptime;
  },
  index: PointIndex,
): FieldOperation {
  const { device, point } = target;
  const { readBack } = point.definition;
  return {
    ...order,
    busId: device.busId,
    unitAddress: device.unitAddress,
    point: point.number,
    interlock: compileInterlock(target, order.value, index),
    readBack:
      readBack === undefined
        ? null
        : {
            points: provingPoints(target, index).map(({ point: proof }) => ({
              number: proof.number,
              pointId: proof.id,
            })),
            expected: expectedOf(point.definition, order),
            tolerance: readBack.tolerance,
            within: readBack.within,
            settle: settleTime(device.quirks),
          },
  };
}

/** What the proving points must show once the order is carried out. */
function expectedOf(
  { readBack, args = [] }: PointDefinition,
  order: { readonly value: PointValue; readonly args: readonly PointValue[] },
): PointValue {
  const expects = readBack?.expects;
  if (expects === undefined) return order.value;
  if ("value" in expects) return expects.value;
  return order.args[args.findIndex(({ name }) => name === expects.argument)] ?? order.value;
}

/** The points that must agree after a write; none where the profile names no read-back. */
export function provingPoints(target: PointOfDevice, index: PointIndex): readonly PointOfDevice[] {
  const { readBack } = target.point.definition;
  if (readBack === undefined) return [];
  const devices: readonly DeviceId[] = readBack.of === "members" ? target.device.members : [target.device.id];
  return devices.map((device) => getPoint(target, { device, name: readBack.point }, index));
}

/** Every point that a condition of the target's interlock names, whatever is written. */
export function interlockPoints(target: PointOfDevice, index: PointIndex): readonly PointOfDevice[] {
  const names = (target.point.definition.interlock?.all ?? []).map(({ point }) => point);
  return [...new Set(names)].map((name) => getPoint(target, { device: target.device.id, name }, index));
}

export function compileInterlock(
  target: PointOfDevice,
  value: PointValue,
  index: PointIndex,
): FieldInterlock | null {
  const { interlock } = target.point.definition;
  const asked = conditionsOf(interlock, value);
  if (interlock === undefined || asked.length === 0) return null;
  const conditions = asked.map(({ point: name, writing: _, ...expected }) => {
    const { point } = getPoint(target, { device: target.device.id, name }, index);
    return { number: point.number, pointId: point.id, ...expected, maxAge: point.definition.maxAge };
  });
  return { name: interlock.name, conditions };
}

function getPoint(
  target: PointOfDevice,
  named: { readonly device: DeviceId; readonly name: string },
  index: PointIndex,
): PointOfDevice {
  const id = pointIdOf(named.device, named.name);
  const found = index.find(id);
  // The site file was refused if a point that proves or permits a write were missing.
  if (found === undefined) throw new Error(`${id}, which ${target.point.id} needs, is not on this site`);
  return found;
}
