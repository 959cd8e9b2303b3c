import { DeviceJournal } from "../device-journal.ts";
import { type Fields, InvalidField } from "../input-fields.ts";
import type { LineEnd } from "../line/line-end.ts";
import { LINE_HELP, lineEndOf } from "../line/open-line-end.ts";
import { seededChance } from "../seeded-chance.ts";
import type { DeviceKind, DeviceSurroundings, SimulatedDevice } from "../simulated-device.ts";
import { doorActions } from "./door-actions.ts";
import { DoorHardware } from "./door-hardware.ts";
import { PacketCollector } from "./pd-frame.ts";
import { PeripheralDevice } from "./peripheral-device.ts";

interface DoorConfig {
  readonly address: number;
  readonly key: Buffer | undefined;
  readonly clear: "refused" | "allowed";
}

/** A door with an OSDP unit, alone on its line. */
export const osdpDoorKind: DeviceKind = {
  about: `OSDP door unit: "address" 0 to 126, "key" 32 hexadecimal digits (absent: install mode), "clear" refused or allowed; ${LINE_HELP}`,
  parse: (fields) => {
    const config = parseDoor(fields);
    const openLine = lineEndOf(fields);
    return async (around) => standDoor(await openLine(), config, around);
  },
};

function parseDoor(fields: Fields): DoorConfig {
  const key = fields.has("key") ? fields.text("key") : undefined;
  if (key !== undefined && !/^[0-9a-f]{32}$/i.test(key))
    throw new InvalidField(fields.pointerTo("key"), "32 hexadecimal digits");
  return {
    address: fields.optionalWholeNumber("address", { min: 0, max: 126 }) ?? 1,
    key: key === undefined ? undefined : Buffer.from(key, "hex"),
    clear: fields.has("clear") ? fields.oneOf("clear", ["refused", "allowed"]) : "refused",
  };
}

function standDoor(
  line: LineEnd,
  config: DoorConfig,
  { id, seed, journal, clock }: DeviceSurroundings,
): SimulatedDevice {
  const chance = seededChance(seed);
  const log = new DeviceJournal(id, journal);
  const hardware = new DoorHardware(log, clock);
  const serial = Math.floor(chance() * 2 ** 32);
  const device = new PeripheralDevice({
    identity: {
      address: config.address,
      vendor: "697a00",
      model: 153,
      version: 1,
      serial,
      firmware: [10, 11, 12],
    },
    key: config.key,
    clear: config.clear,
    hardware,
    log,
    clock,
    random: (bytes) => Buffer.from(Array.from({ length: bytes }, () => Math.floor(chance() * 256))),
  });
  const collector = new PacketCollector();
  line.onBytes((bytes) => {
    for (const packet of collector.feed(bytes)) {
      const answer = device.answer(packet);
      if (answer !== undefined) line.write(answer);
    }
  });
  return {
    reach: { ...line.reach, address: config.address },
    actions: doorActions(hardware, device),
    view: () => ({
      inputs: hardware.inputs,
      outputs: hardware.outputs,
      lamps: Object.fromEntries(hardware.lamps),
      beeps: hardware.beeps,
      tamper: hardware.tamper,
      powerFailure: hardware.powerFailure,
      serial,
      isSecure: device.isSecure,
      hasOwnKey: device.hasOwnKey,
      waitingNews: hardware.waitingNews,
    }),
    [Symbol.asyncDispose]: async () => {
      hardware.close();
      await line[Symbol.asyncDispose]();
    },
  };
}
