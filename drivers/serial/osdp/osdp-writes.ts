import { DeviceFault } from "../../../domain/errors.ts";
import type { PointDefinition } from "../../../domain/point.ts";
import type { PointValue } from "../../../domain/reading.ts";
import type { SerialAddress } from "../serial-address.ts";
import { COMMAND } from "./osdp-codes.ts";
import type { OsdpCommand } from "./osdp-conversation.ts";

/** OUT control code: on for a time, whatever happens to the panel. The only one we use (DOMAIN E.5, rule 28). */
const TEMPORARY_ON = 5;
const TIMER_UNIT_MS = 100;
const TIMER_MAX = 0xffff;
/** LED: no temporary state; a lasting one. */
const LED_TEMPORARY_NONE = 0;
const LED_LASTING = 1;
const LED_COLOURS = 7;
/** BUZ: default tone, 200 ms on, 200 ms off, three times. */
const BUZZ = [2, 2, 2, 3] as const;

/** @throws {DeviceFault} `refused-by-device` for what must not, or can not, be sent. */
export function encodeOsdpWrite(
  point: PointDefinition<SerialAddress>,
  value: PointValue,
  unit: number,
): OsdpCommand {
  const { address } = point;
  const label = `write ${JSON.stringify(value)} to ${point.name} of unit ${unit}`;
  const item = address.dialect === "osdp" ? address.item : "other";
  if (address.dialect === "osdp" && address.item === "output")
    return { code: COMMAND.output, data: pulseOf(point, { number: address.number, value, label }), label };
  if (address.dialect === "osdp" && address.item === "led") {
    const { reader, led } = address;
    return { code: COMMAND.led, data: ledOf({ reader, led, value, label }), label };
  }
  if (address.dialect === "osdp" && address.item === "buzzer")
    return { code: COMMAND.buzzer, data: Uint8Array.from([address.reader, ...BUZZ]), label };
  throw new DeviceFault("unknown-address", label, { cause: new Error(`not sent: ${item} is only read`) });
}

function pulseOf(
  point: PointDefinition,
  output: { readonly number: number; readonly value: PointValue; readonly label: string },
): Uint8Array {
  const timer = Math.round((point.pulse ?? 0) / TIMER_UNIT_MS);
  if (timer < 1 || timer > TIMER_MAX) {
    throw refused(
      output.label,
      "an output is only pulsed: give the point `pulse` from 100 ms to 6553 s in its profile",
    );
  }
  if (output.value !== true) throw refused(output.label, "it falls back by itself: only true is written");
  return Uint8Array.from([output.number, TEMPORARY_ON, timer & 0xff, timer >> 8]);
}

function ledOf(led: {
  readonly reader: number;
  readonly led: number;
  readonly value: PointValue;
  readonly label: string;
}): Uint8Array {
  const { value } = led;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > LED_COLOURS)
    throw refused(led.label, "a colour is a whole number from 0 (dark) to 7 (white)");
  const temporary = [LED_TEMPORARY_NONE, 0, 0, 0, 0, 0, 0];
  return Uint8Array.from([led.reader, led.led, ...temporary, LED_LASTING, 1, 0, value, value]);
}

function refused(label: string, why: string): DeviceFault {
  return new DeviceFault("refused-by-device", label, { cause: new Error(`not sent: ${why}`) });
}
