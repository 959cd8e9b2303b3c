import { LINE_HELP, lineEndOf } from "../line/open-line-end.ts";
import type { DeviceKind } from "../simulated-device.ts";
import { hangOn } from "./door-line.ts";
import { DOOR_HELP, DoorUnit, parseDoor } from "./door-unit.ts";

/** A door with an OSDP unit, alone on its line. */
export const osdpDoorKind: DeviceKind = {
  about: `OSDP door unit alone on its line: ${DOOR_HELP}; ${LINE_HELP}`,
  parse: (fields) => {
    const config = parseDoor(fields);
    const openLine = lineEndOf(fields);
    return async (around) => {
      await using made = new AsyncDisposableStack();
      const line = made.use(await openLine());
      const unit = made.use(new DoorUnit(config, around));
      hangOn(line, [unit]);
      const resources = made.move();
      return {
        reach: { ...line.reach, address: config.address },
        actions: unit.actions,
        view: () => unit.view(),
        [Symbol.asyncDispose]: () => resources.disposeAsync(),
      };
    };
  },
};
