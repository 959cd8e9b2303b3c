import { z } from "zod";
import { AddressError } from "../driver.ts";
import { type FormatDefaults, type LineConfig, parseLineConfig } from "./line-config.ts";

/** The line of a bus in its site file, before it is understood. */
export const LINE_SETTING = z.record(
  z.string(),
  z.unknown(),
  "{ kind: serial, path: /dev/ttyS0, baud: 9600 } or { kind: tcp, host: 10.20.0.5, port: 4001, baud: 9600 }",
);

/** @throws {AddressError} whose pointer begins with `/line`. */
export function parseLineSetting(written: unknown, defaults: FormatDefaults): LineConfig {
  try {
    return parseLineConfig(written, defaults);
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    throw new AddressError(`/line${error.pointer}`, error.expected, error.message);
  }
}
