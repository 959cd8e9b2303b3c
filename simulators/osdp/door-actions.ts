import { type Fields, InvalidField } from "../input-fields.ts";
import type { DeviceAction } from "../simulated-device.ts";
import { type DoorHardware, INPUTS, OUTPUTS } from "./door-hardware.ts";
import type { PeripheralDevice } from "./peripheral-device.ts";

const FLAG = { min: 0, max: 1 };
const CARD_BITS_MAX = 512;

/** What hands do to a door and its unit. */
export function doorActions(hardware: DoorHardware, device: PeripheralDevice): readonly DeviceAction[] {
  return [...readerActions(hardware), ...leafActions(hardware), ...unitActions(hardware, device)];
}

function readerActions(hardware: DoorHardware): readonly DeviceAction[] {
  return [
    {
      name: "present-card",
      about: "a card is held before the reader",
      takes: { bits: `1 to ${CARD_BITS_MAX}`, data: "the bits from the highest, hexadecimal" },
      prepare: (fields) => {
        const bits = fields.wholeNumber("bits", { min: 1, max: CARD_BITS_MAX });
        const data = cardData(fields, bits);
        return () => hardware.tell({ kind: "card", reader: 0, format: 1, bits, data });
      },
    },
    {
      name: "press-keys",
      about: "keys of the reader are pressed",
      takes: { keys: "1 to 16 of 0-9, * and #" },
      prepare: (fields) => {
        const keys = fields.text("keys");
        if (!/^[0-9*#]{1,16}$/.test(keys))
          throw new InvalidField(fields.pointerTo("keys"), "1 to 16 of 0-9, * and #");
        return () => hardware.tell({ kind: "keys", reader: 0, keys });
      },
    },
  ];
}

function leafActions(hardware: DoorHardware): readonly DeviceAction[] {
  return [
    {
      name: "push-door",
      about: "somebody pushes the door: it opens if the strike lets go, or with force",
      takes: { force: "0 or 1, default 0" },
      prepare: (fields) => {
        const force = fields.optionalWholeNumber("force", FLAG) ?? 0;
        return () => {
          if (
            force === 0 &&
            hardware.outputs[OUTPUTS.strike] !== 1 &&
            hardware.inputs[INPUTS.exitButton] !== 1
          )
            return;
          hardware.setInput(INPUTS.contact, 1, {
            by: "control",
            action: force === 1 ? "force-door" : "push-door",
          });
        };
      },
    },
    {
      name: "close-door",
      about: "the door falls shut",
      prepare: () => () => hardware.setInput(INPUTS.contact, 0, { by: "control", action: "close-door" }),
    },
    flagAction("exit-button", "the exit button is pressed (1) or let go (0)", (to) =>
      hardware.setInput(INPUTS.exitButton, to, { by: "control", action: "exit-button" }),
    ),
  ];
}

function unitActions(hardware: DoorHardware, device: PeripheralDevice): readonly DeviceAction[] {
  return [
    flagAction("tamper", "the unit's cover is opened (1) or shut (0)", (to) =>
      hardware.set("tamper", to, { by: "control", action: "tamper" }),
    ),
    flagAction("reader-tamper", "the reader is torn off (1) or back (0)", (to) =>
      hardware.set("readerTamper", to, { by: "control", action: "reader-tamper" }),
    ),
    flagAction("power-failure", "the unit runs on its battery (1) or the mains (0)", (to) =>
      hardware.set("powerFailure", to, { by: "control", action: "power-failure" }),
    ),
    flagAction(
      "unit-power",
      "the unit has no power at all (0): it is silent and lets go; or again (1)",
      (to) => {
        if (to === 0) hardware.losePower({ by: "control", action: "unit-power" });
        device.setPower(to);
      },
    ),
    {
      name: "forget-key",
      about: "back to install mode, as a hand with the cover open can",
      prepare: () => () => device.forgetKey(),
    },
    {
      name: "be-busy",
      about: "answers BUSY so many times",
      takes: { times: "1 to 100" },
      prepare: (fields) => {
        const times = fields.wholeNumber("times", { min: 1, max: 100 });
        return () => {
          device.busyFor = times;
        };
      },
    },
  ];
}

function flagAction(name: string, about: string, act: (to: number) => void): DeviceAction {
  return {
    name,
    about,
    takes: { to: "0 or 1" },
    prepare: (fields) => {
      const to = fields.wholeNumber("to", FLAG);
      return () => act(to);
    },
  };
}

function cardData(fields: Fields, bits: number): Buffer {
  const text = fields.text("data");
  const bytes = Math.ceil(bits / 8);
  if (!new RegExp(`^[0-9a-f]{${2 * bytes}}$`, "i").test(text))
    throw new InvalidField(fields.pointerTo("data"), `${2 * bytes} hexadecimal digits for ${bits} bits`);
  return Buffer.from(text, "hex");
}
