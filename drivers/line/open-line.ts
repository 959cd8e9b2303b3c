import type { ByteLine, LineContext } from "./byte-line.ts";
import type { LineConfig } from "./line-config.ts";
import { openSerialLine } from "./serial-line.ts";
import { openSocketLine } from "./socket-line.ts";

/**
 * Opens the line, alone: a serial port is locked against other programs and other buses.
 * @throws {DeviceFault} `connection-lost`, whose cause says what to do; or the signal's reason. Nothing is left open then.
 */
export function openByteLine(
  config: LineConfig,
  context: LineContext,
  signal: AbortSignal,
): Promise<ByteLine> {
  return config.kind === "serial"
    ? openSerialLine(config, context, signal)
    : openSocketLine(config, context, signal);
}
