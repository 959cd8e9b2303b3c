import { readFile, realpath, writeFile } from "node:fs/promises";
import { basename } from "node:path";

/** What the kernel offers here and what came of it; a hint says what a person should do. */
export interface Latency {
  /** ms that an adapter holds received bytes back; `undefined` where the kernel names none. */
  readonly heldMs: number | undefined;
  readonly hint?: string;
}

const NONE: Latency = { heldMs: undefined };

/**
 * USB adapters of the FTDI kind hold received bytes back for up to 16 ms, which is more than an exchange takes. The
 * kernel lets root set it (`/sys/bus/usb-serial/devices/ttyUSB0/latency_timer`, drivers/usb/serial/ftdi_sio.c). Other ports have no such file
 * and mostly no such delay; the ioctl that some of them take (ASYNC_LOW_LATENCY) is out of reach of Node.
 */
export async function lowerLatency(path: string, devices = "/sys/bus/usb-serial/devices"): Promise<Latency> {
  const file = await findSetting(path, devices);
  if (file === undefined) return NONE;
  const before = await readMs(file);
  if (before === undefined || before <= 1) return { heldMs: before };
  try {
    await writeFile(file, "1");
    return { heldMs: (await readMs(file)) ?? before };
  } catch {
    return { heldMs: before, hint: hintFor(before) };
  }
}

function hintFor(heldMs: number): string {
  return (
    `the adapter holds received bytes back for up to ${heldMs} ms, so each exchange takes that much longer. ` +
    'Put this line into /etc/udev/rules.d/99-serial-latency.rules and plug the adapter in again: ACTION=="add", ' +
    'SUBSYSTEM=="usb-serial", DRIVER=="ftdi_sio", ATTR{latency_timer}="1"'
  );
}

async function findSetting(path: string, devices: string): Promise<string | undefined> {
  try {
    const name = basename(await realpath(path));
    return `${devices}/${name}/latency_timer`;
  } catch {
    return undefined;
  }
}

async function readMs(file: string): Promise<number | undefined> {
  try {
    const ms = Number((await readFile(file, "utf8")).trim());
    return Number.isFinite(ms) ? ms : undefined;
  } catch {
    return undefined;
  }
}
