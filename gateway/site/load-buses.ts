import { BusId } from "../../domain/ids.ts";
import { POLL_CLASSES, type PollClass } from "../../domain/point.ts";
import { Millis } from "../../domain/time.ts";
import { AddressError, type SiteFolders } from "../../drivers/driver.ts";
import { isDriverName } from "../../drivers/registry.ts";
import type { LoadDriver } from "./load-profile.ts";
import { DEFAULT_POLL_INTERVALS_MS, type SiteBus } from "./site.ts";
import { BUS_SCHEMA, type WrittenBus } from "./site-file-schema.ts";
import { keysOf } from "./source/json-pointer.ts";
import { findNearest } from "./source/nearest-word.ts";
import { type ProblemList, show } from "./source/problem-list.ts";
import { checkSchema } from "./source/schema-problems.ts";
import type { YamlSource } from "./source/yaml-source.ts";

/** A bus before its devices are known, and so its isolation group where the file names none. */
export type CheckedBus = Omit<SiteBus, "isolationGroup"> & {
  readonly writtenGroup?: string;
  readonly index: number;
};

export interface BusContext {
  readonly source: YamlSource;
  readonly problems: ProblemList;
  readonly loadDriver: LoadDriver;
  readonly folders: SiteFolders;
}

/** The buses that are right, by id; tells what is wrong with the others. */
export async function loadBuses(
  entries: readonly unknown[],
  context: BusContext,
): Promise<ReadonlyMap<string, CheckedBus>> {
  const buses = new Map<string, CheckedBus>();
  const firstAt = new Map<string, number>();
  for (const [index, entry] of entries.entries()) {
    const at = ["buses", index];
    const written = checkSchema(BUS_SCHEMA, entry, { ...context, at });
    if (written === undefined) continue;
    const first = firstAt.get(written.id);
    if (first !== undefined) {
      const expected = `an id that no other bus has (/buses/${first} has it)`;
      context.problems.add(context.source, [...at, "id"], {
        found: written.id,
        expected,
        remedy: "rename one of the two",
      });
      continue;
    }
    firstAt.set(written.id, index);
    const bus = await loadBus(written, index, context);
    if (bus !== undefined) buses.set(bus.id, bus);
  }
  return buses;
}

async function loadBus(
  written: WrittenBus,
  index: number,
  context: BusContext,
): Promise<CheckedBus | undefined> {
  const { id, driver: name, isolationGroup, requestTimeout, pollIntervals, ...own } = written;
  if (!isDriverName(name)) return undefined;
  const driver = await context.loadDriver(name);
  try {
    const config = driver.parseBusConfig(own, context.folders);
    return {
      id: BusId(id),
      driver: name,
      config,
      requestTimeout,
      pollIntervals: intervalsOf(pollIntervals),
      index,
      ...(isolationGroup !== undefined && { writtenGroup: isolationGroup }),
    };
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    tellBusFault(error, { index, own, context });
    return undefined;
  }
}

function intervalsOf(written: WrittenBus["pollIntervals"]): Readonly<Record<PollClass, Millis>> {
  const of = (pollClass: PollClass): Millis =>
    written[pollClass] ?? Millis(DEFAULT_POLL_INTERVALS_MS[pollClass]);
  const [safety, fast, normal, lamp, meter, slow] = POLL_CLASSES;
  return {
    [safety]: of(safety),
    [fast]: of(fast),
    [normal]: of(normal),
    [meter]: of(meter),
    [lamp]: of(lamp),
    [slow]: of(slow),
  };
}

function tellBusFault(
  error: AddressError,
  {
    index,
    own,
    context,
  }: { readonly index: number; readonly own: Record<string, unknown>; readonly context: BusContext },
): void {
  const keys = keysOf(error.pointer);
  const [key] = keys;
  const value = key === undefined ? own : own[key];
  const isUnknown = error.expected === "no such key";
  const ours = isUnknown && key !== undefined ? findNearest(key, Object.keys(BUS_SCHEMA.shape)) : undefined;
  context.problems.add(context.source, ["buses", index, ...keys], {
    at: isUnknown ? "key" : "value",
    found: isUnknown ? `the unknown key ${key}` : value === undefined ? `no ${key}` : show(value),
    expected: error.expected,
    remedy: ours === undefined ? error.message : `did you mean ${ours}?`,
  });
}
