import { z } from "zod";
import type { PointDefinition } from "../../domain/point.ts";
import { AddressError, type Footprint } from "../driver.ts";
import { parseSetting } from "../parse-setting.ts";

/** A pin of the board: Firmata protocol 2.5. There is no servo on purpose: nothing that moves hangs on a board without a watchdog. */
export type FirmataAddress =
  | {
      readonly mode: "input";
      readonly pin: number;
      readonly pull: "up" | "none";
      readonly active: "high" | "low";
    }
  | { readonly mode: "output"; readonly pin: number; readonly active: "high" | "low" }
  | { readonly mode: "pwm"; readonly pin: number }
  /** `channel` 0 is A0. */
  | { readonly mode: "analog"; readonly channel: number };

const PIN = "a pin from 0 to 127, as printed on the board";
const pin = z.int(PIN).min(0, PIN).max(127, PIN);
const CHANNEL = "an analog channel from 0 to 15: A0 is 0";
const active = z.enum(["high", "low"], "high or low").default("high");
const MODES = '"input", "output", "pwm" or "analog"';
const ADDRESS = z.discriminatedUnion(
  "mode",
  [
    z.strictObject({
      mode: z.literal("input"),
      pin,
      pull: z.enum(["up", "none"], "up or none").default("none"),
      active,
    }),
    z.strictObject({ mode: z.literal("output"), pin, active }),
    z.strictObject({ mode: z.literal("pwm"), pin }),
    z.strictObject({ mode: z.literal("analog"), channel: z.int(CHANNEL).min(0, CHANNEL).max(15, CHANNEL) }),
  ],
  MODES,
);

type Kind = Pick<PointDefinition, "type" | "access">;
/** What a point of each mode must be. An output is read too: after a restart its state has to be known. */
const KINDS = {
  input: { type: "boolean", access: "read" },
  output: { type: "boolean", access: "read-write" },
  pwm: { type: "number", access: "read-write" },
  analog: { type: "number", access: "read" },
} as const satisfies Record<FirmataAddress["mode"], Kind>;

/** @throws {AddressError} */
export function parseFirmataAddress(data: unknown, point: Kind): FirmataAddress {
  refuseServo(data);
  const address = parseSetting(ADDRESS, data);
  const { type, access } = KINDS[address.mode];
  if (point.type === type && point.access === access) return address;
  const expected = `a mode that suits a ${point.type} point with access ${point.access}`;
  throw new AddressError(
    "/mode",
    expected,
    `${address.mode} is a ${type} point with access ${access}: write that`,
  );
}

function refuseServo(data: unknown): void {
  if (typeof data !== "object" || data === null || !("mode" in data) || data.mode !== "servo") return;
  const why =
    "a servo moves something, and a Firmata board holds its outputs when the gateway dies: take a drive of its own";
  throw new AddressError("/mode", MODES, why);
}

/** A pin is one place; an analog channel is another space, as boards map it to a pin by themselves. */
export function footprintOf(address: FirmataAddress): Footprint {
  return address.mode === "analog"
    ? { space: "analog", first: address.channel, count: 1 }
    : { space: "pin", first: address.pin, count: 1 };
}
