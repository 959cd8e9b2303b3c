import { DeviceJournal } from "../device-journal.ts";
import { type Fields, InvalidField } from "../input-fields.ts";
import { seededChance } from "../seeded-chance.ts";
import type { ControlledDevice, DeviceAction, DeviceSurroundings } from "../simulated-device.ts";
import { doorActions } from "./door-actions.ts";
import { DoorHardware } from "./door-hardware.ts";
import type { PanelPacket } from "./pd-frame.ts";
import { PeripheralDevice } from "./peripheral-device.ts";

export interface DoorConfig {
  readonly address: number;
  readonly key: Buffer | undefined;
  readonly clear: "refused" | "allowed";
}

/** For `about` texts. */
export const DOOR_HELP =
  '"address" 0 to 126 [1], "key" 32 hexadecimal digits (absent: install mode), "clear" refused or allowed';

/** Reads `address`, `key` and `clear`. @throws {InvalidField} */
export function parseDoor(fields: Fields): DoorConfig {
  const key = fields.has("key") ? fields.text("key") : undefined;
  if (key !== undefined && !/^[0-9a-f]{32}$/i.test(key))
    throw new InvalidField(fields.pointerTo("key"), "32 hexadecimal digits");
  return {
    address: fields.optionalWholeNumber("address", { min: 0, max: 126 }) ?? 1,
    key: key === undefined ? undefined : Buffer.from(key, "hex"),
    clear: fields.has("clear") ? fields.oneOf("clear", ["refused", "allowed"]) : "refused",
  };
}

/** A door with its OSDP unit, before it hangs on a line. */
export class DoorUnit implements ControlledDevice, Disposable {
  readonly id: string;
  readonly actions: readonly DeviceAction[];
  readonly #hardware: DoorHardware;
  readonly #device: PeripheralDevice;
  readonly #serial: number;

  constructor(config: DoorConfig, { id, seed, journal, clock }: DeviceSurroundings) {
    const chance = seededChance(seed);
    const log = new DeviceJournal(id, journal);
    this.id = id;
    this.#hardware = new DoorHardware(log, clock);
    this.#serial = Math.floor(chance() * 2 ** 32);
    const identity = {
      address: config.address,
      vendor: "697a00",
      model: 153,
      version: 1,
      serial: this.#serial,
      firmware: [10, 11, 12],
    } as const;
    this.#device = new PeripheralDevice({
      ...config,
      identity,
      hardware: this.#hardware,
      log,
      clock,
      random: (bytes) => Buffer.from(Array.from({ length: bytes }, () => Math.floor(chance() * 256))),
    });
    this.actions = doorActions(this.#hardware, this.#device);
  }

  get address(): number {
    return this.#device.address;
  }

  /** `undefined`: the packet is for another, or the unit has no power. */
  answer(packet: PanelPacket): Buffer | undefined {
    return this.#device.answer(packet);
  }

  view(): object {
    const hardware = this.#hardware;
    const { isSecure, hasOwnKey, isPowered, address } = this.#device;
    return {
      address,
      inputs: hardware.inputs,
      outputs: hardware.outputs,
      lamps: Object.fromEntries(hardware.lamps),
      beeps: hardware.beeps,
      tamper: hardware.tamper,
      powerFailure: hardware.powerFailure,
      serial: this.#serial,
      isPowered,
      isSecure,
      hasOwnKey,
      waitingNews: hardware.waitingNews,
    };
  }

  [Symbol.dispose](): void {
    this.#hardware.close();
  }
}
