import { PACED_LINE_HELP, pacedLineOf } from "../line/paced-line.ts";
import type { DeviceKind } from "../simulated-device.ts";
import { hangOn } from "./door-line.ts";
import { DOOR_HELP, DoorUnit, parseDoor } from "./door-unit.ts";

/** A door with an OSDP unit, alone on its line. */
export const osdpDoorKind: DeviceKind = {
  about: `OSDP door unit alone on its line: ${DOOR_HELP}; ${PACED_LINE_HELP}`,
  parse: (fields) => {
    const config = parseDoor(fields);
    const openLine = pacedLineOf(fields);
    return async (around) => {
      await using made = new AsyncDisposableStack();
      const { line, actions } = await openLine(around);
      made.use(line);
      const unit = made.use(new DoorUnit(config, around));
      hangOn(line, [unit]);
      const resources = made.move();
      return {
        reach: { ...line.reach, address: config.address },
        actions: [...actions, ...unit.actions],
        view: () => unit.view(),
        [Symbol.asyncDispose]: () => resources.disposeAsync(),
      };
    };
  },
};
