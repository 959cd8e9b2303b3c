import type { CommandId, DeviceId } from "../../domain/ids.ts";
import { pointIdOf } from "../../domain/ids.ts";
import type { ReadBack } from "../../domain/point.ts";
import { settleTime } from "../../domain/profile.ts";
import type { PointValue } from "../../domain/reading.ts";
import type { Uptime } from "../../domain/time.ts";
import type { PointIndex, PointOfDevice } from "../site/site.ts";
import type { FieldOperation } from "./field-operation.ts";

/** The operation that carries out an admitted command: where to write, what proves it, until when. Pure. */
export function compileOperation(
  target: PointOfDevice,
  order: { readonly commandId: CommandId; readonly value: PointValue; readonly deadline: Uptime },
  index: PointIndex,
): FieldOperation {
  const { device, point } = target;
  const { readBack } = point.definition;
  return {
    ...order,
    busId: device.busId,
    unitAddress: device.unitAddress,
    point: point.number,
    readBack:
      readBack === undefined
        ? null
        : {
            points: provingPoints(target, readBack, index),
            tolerance: readBack.tolerance,
            within: readBack.within,
            settle: settleTime(device.quirks),
          },
  };
}

function provingPoints(
  target: PointOfDevice,
  readBack: ReadBack,
  index: PointIndex,
): NonNullable<FieldOperation["readBack"]>["points"] {
  const devices: readonly DeviceId[] = readBack.of === "members" ? target.device.members : [target.device.id];
  return devices.map((device) => {
    const id = pointIdOf(device, readBack.point);
    const found = index.find(id);
    // The site file was refused if a read-back point were missing.
    if (found === undefined)
      throw new Error(`read-back point ${id} of ${target.point.id} is not on this site`);
    return { number: found.point.number, pointId: id };
  });
}
