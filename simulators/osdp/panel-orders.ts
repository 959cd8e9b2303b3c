import type { EffectCause } from "../journal.ts";
import type { DoorHardware } from "./door-hardware.ts";

/** Reasons of a NAK: SIA OSDP 2.2, table of error codes. */
export const NAK = { length: 2, unknown: 3, sequence: 4, block: 5, encryption: 6, record: 9 } as const;

/** What an order does once it is in the journal. */
export type PreparedOrder = (cause: EffectCause) => void;

/** OUT, LED or BUZ for this door; a number: the reason for a NAK. */
export function prepareOrder(code: number, data: Buffer, hardware: DoorHardware): PreparedOrder | number {
  if (code === 0x68) return prepareOutput(data, hardware);
  if (code === 0x69) return prepareLamp(data, hardware);
  return prepareBuzzer(data, hardware);
}

function prepareOutput(data: Buffer, hardware: DoorHardware): PreparedOrder | number {
  if (data.length !== 4) return NAK.length;
  const [number = 0, control = 0] = data;
  const ms = 100 * data.readUInt16LE(2);
  // 1 and 2 last, 5 and 6 fall back after the timer; 3 and 4 this unit does not have.
  const known: Readonly<Record<number, readonly [to: number, ms: number]>> = {
    1: [0, 0],
    2: [1, 0],
    5: [1, ms],
    6: [0, ms],
  };
  const [to, forMs] = known[control] ?? [];
  if (hardware.outputs[number] === undefined || to === undefined || forMs === undefined) return NAK.record;
  return (cause) => hardware.setOutput(number, to, forMs, cause);
}

function prepareLamp(data: Buffer, hardware: DoorHardware): PreparedOrder | number {
  if (data.length !== 14) return NAK.length;
  const [reader = 0, lamp = 0] = data;
  if (reader !== 0 || lamp > 1) return NAK.record;
  if (data[9] !== 1) return () => {};
  return (cause) => hardware.setLamp(reader, lamp, data[12] ?? 0, cause);
}

function prepareBuzzer(data: Buffer, hardware: DoorHardware): PreparedOrder | number {
  if (data.length !== 5) return NAK.length;
  const [reader = 0, tone = 0, , , times = 0] = data;
  if (reader !== 0) return NAK.record;
  return (cause) => hardware.beep(tone === 2 ? times : 0, cause);
}
