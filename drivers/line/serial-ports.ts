import { readdir } from "node:fs/promises";

/** `ttyS0` … exist on any machine whether or not there is a chip behind; what is plugged in comes first. */
const NAMES = /^tty(?:USB|ACM|AMA|XRUSB|S|O|mxc)\d+$/;
const PORTS_MAX = 32;

/**
 * The serial ports of this machine, stable names first, at most 32. Read from the device folder: the library's own list
 * needs `udevadm`, which a slim system lacks.
 */
export async function findSerialPorts(devices = "/dev"): Promise<readonly string[]> {
  const stable = (await namesIn(`${devices}/serial/by-id`)).map((name) => `${devices}/serial/by-id/${name}`);
  const plain = (await namesIn(devices))
    .filter((name) => NAMES.test(name))
    .map((name) => `${devices}/${name}`);
  return [...stable.sort(), ...plain.sort(byKindAndNumber)].slice(0, PORTS_MAX);
}

function byKindAndNumber(one: string, other: string): number {
  const isBuiltIn = (path: string): number => (/ttyS\d+$/.test(path) ? 1 : 0);
  return isBuiltIn(one) - isBuiltIn(other) || one.localeCompare(other, "en", { numeric: true });
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch {
    return [];
  }
}
