import { join } from "node:path";
import { z } from "zod";
import { readSecret, writeSecret } from "./registry/secret-files.ts";

const chosen = z.object({ operators: z.number().int().optional(), gateways: z.number().int().optional() });
export type ChosenPorts = z.infer<typeof chosen>;

/** The ports of the last run, by `ports.json` in the data folder; none if there is no such file or it can not be read. */
export function readChosenPorts(folder: string): ChosenPorts {
  try {
    return chosen.parse(JSON.parse(readSecret(join(folder, "ports.json")) ?? "{}"));
  } catch {
    return {};
  }
}

/** Gateways and bookmarks find the center again after a restart, even where the system had chosen the port. */
export function writeChosenPorts(folder: string, ports: ChosenPorts): void {
  writeSecret(join(folder, "ports.json"), `${JSON.stringify(ports)}\n`);
}

/** Opens on `port`; for port 0 on the one of the last run if it is still free, else on any. */
export async function openOnPort<Listener>(
  port: number,
  last: number | undefined,
  open: (port: number) => Promise<Listener>,
): Promise<Listener> {
  if (port !== 0 || last === undefined) return open(port);
  try {
    return await open(last);
  } catch (cause) {
    if (!isPortTaken(cause)) throw cause;
    return open(0);
  }
}

/** Whether another program has the port: looks through the causes. */
export function isPortTaken(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ("code" in error && error.code === "EADDRINUSE") || isPortTaken(error.cause);
}
