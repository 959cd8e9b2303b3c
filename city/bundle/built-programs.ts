import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");
/** Where `npm run build` leaves the programs as bundles. */
export const BUNDLES = join(ROOT, "city/bundle/dist");
/** Beside them: what they were made of. */
export const INPUTS_NAME = "inputs.json";
/** Written by npm with each change of what is installed. */
export const LOCK_OF_PACKAGES = "node_modules/.package-lock.json";

/** What runs as a process or a thread of its own in a city, by the name of its bundle: the source, from the root. */
export const ENTRIES = {
  gateway: "gateway/main.ts",
  "field-host": "gateway/field/host/field-host-main.ts",
  "telemetry-worker": "gateway/store/writing/telemetry-worker.ts",
  center: "cloud-sync/main.ts",
  simulators: "simulators/main.ts",
} as const;

export type ProgramName = "gateway" | "center" | "simulators";
export type ProgramForm = "bundle" | "source";

/** By path from the root: time of the last change and size. */
export type Inputs = Readonly<Record<string, string>>;

/** As it stands now; "" if it is gone. */
export function stampOf(path: string): string {
  const found = statSync(join(ROOT, path), { throwIfNoEntry: false });
  return found === undefined ? "" : `${found.mtimeMs} ${found.size}`;
}

/** Whether the programs stand in `folder` as bundles that were made of the sources and packages as they are now. */
export function areBundlesFresh(folder: string = BUNDLES): boolean {
  const file = join(folder, INPUTS_NAME);
  if (!existsSync(file)) return false;
  const inputs: Inputs = JSON.parse(readFileSync(file, "utf8"));
  return Object.entries(inputs).every(([path, stamp]) => stampOf(path) === stamp);
}

/** What to run: the bundle or the source, of all programs alike. */
export function programFile(name: ProgramName, form: ProgramForm): string {
  return form === "bundle" ? join(BUNDLES, `${name}.js`) : join(ROOT, ENTRIES[name]);
}
