import { BusId, DeviceId, pointIdOf } from "../../domain/ids.ts";
import type { CommandClass, PointDefinition } from "../../domain/point.ts";
import { DEVICE_CLASSES, type Profile } from "../../domain/profile.ts";
import { AddressError, type Footprint } from "../../drivers/driver.ts";
import { devicePointsComplaints } from "./check-device-points.ts";
import type { DeviceChoice, DeviceProfile, ParameterValues } from "./device-profile.ts";
import type { ExpandedDevice } from "./expand-devices.ts";
import { tellAddressFaults } from "./load-profile.ts";
import { bucketComplaint } from "./profile/bucket-complaint.ts";
import type { SiteBus, UnnumberedDevice } from "./site.ts";
import { keysOf } from "./source/json-pointer.ts";
import { findNearest } from "./source/nearest-word.ts";
import { type Complaint, type ProblemList, show } from "./source/problem-list.ts";
import type { YamlSource } from "./source/yaml-source.ts";

/** What the devices of a site are checked against. */
export interface SiteParts {
  readonly source: YamlSource;
  readonly problems: ProblemList;
  /** Also of buses that are broken otherwise, so that one mistake is told once. */
  readonly busIds: readonly string[];
  readonly buses: ReadonlyMap<string, Omit<SiteBus, "isolationGroup">>;
  /** `null`: found, and told to be broken. */
  readonly profiles: ReadonlyMap<string, DeviceProfile | null>;
  readonly profileIds: readonly string[];
  /** `null` when an entry is broken and so the ids are not all known: then nothing is said of unknown ones. */
  readonly deviceIds: ReadonlySet<string> | null;
}

/** A device with all that its neighbours are checked against. */
export interface ResolvedDevice {
  readonly device: UnnumberedDevice;
  readonly loaded: DeviceProfile;
  readonly values: ParameterValues;
  readonly footprints: readonly Footprint[];
  readonly expanded: ExpandedDevice;
}

/** `undefined` after telling what is wrong with it. */
export function resolveDevice(expanded: ExpandedDevice, parts: SiteParts): ResolvedDevice | undefined {
  const { problems } = parts;
  const before = problems.size;
  const bus = findBus(expanded, parts);
  const loaded = findProfile(expanded, parts);
  checkNeighbours(expanded, parts);
  if (loaded === undefined) return undefined;
  if (bus !== undefined && bus.driver !== loaded.profile.driver) {
    const expected = `a bus with driver ${loaded.profile.driver}, as profile ${loaded.profile.id} needs`;
    tell(
      expanded,
      "bus",
      { found: `${bus.id} with driver ${bus.driver}`, expected, remedy: "name another bus" },
      parts,
    );
  }
  const values = parameterValues(expanded, loaded, parts);
  checkPoints(expanded, loaded, parts);
  checkClasses(expanded, loaded, parts);
  const unitAddress = unitAddressOf(expanded, { driver: loaded.driver, bus }, parts);
  if (problems.size > before || bus === undefined || unitAddress === undefined || parts.deviceIds === null) {
    return undefined;
  }
  const resolved = loaded.resolve(values, choiceOf(expanded.entry));
  tellAddressFaults(loaded, resolved, problems);
  checkMaxAge(expanded, resolved.definitions, { parts, bus });
  const tooOften = bucketComplaint(loaded.profile.class, resolved.definitions, bus);
  if (tooOften !== undefined) tell(expanded, "bus", tooOften, parts);
  if (problems.size > before) return undefined;
  const device = deviceOf(expanded, loaded, { unitAddress, definitions: resolved.definitions });
  return { device, loaded, values, footprints: resolved.footprints, expanded };
}

function tell(
  { path, id, entry }: ExpandedDevice,
  key: string,
  complaint: Complaint,
  parts: SiteParts,
): void {
  const which = entry.repeat === undefined ? "" : ` (${id})`;
  parts.problems.add(parts.source, [...path, ...keysOf(`/${key}`)], {
    ...complaint,
    found: complaint.found + which,
  });
}

function findBus(expanded: ExpandedDevice, parts: SiteParts): Omit<SiteBus, "isolationGroup"> | undefined {
  const { bus } = expanded.entry;
  if (!parts.busIds.includes(bus)) tell(expanded, "bus", unknown("bus", bus, parts.busIds), parts);
  return parts.buses.get(bus);
}

function findProfile(expanded: ExpandedDevice, parts: SiteParts): DeviceProfile | undefined {
  const loaded = parts.profiles.get(expanded.entry.profile);
  if (loaded === undefined) {
    tell(expanded, "profile", unknown("profile", expanded.entry.profile, parts.profileIds), parts);
  }
  return loaded ?? undefined;
}

function checkNeighbours(expanded: ExpandedDevice, parts: SiteParts): void {
  const { deviceIds } = parts;
  if (deviceIds === null) return;
  const { id, parent, members } = expanded;
  if (parent !== undefined && !deviceIds.has(parent))
    tell(expanded, "parent", unknown("device", parent, [...deviceIds]), parts);
  if (parent === id) {
    tell(
      expanded,
      "parent",
      { found: "the device itself", expected: "another device", remedy: "remove parent" },
      parts,
    );
  }
  for (const member of members.filter((member) => !deviceIds.has(member))) {
    tell(expanded, "members", unknown("device", member, [...deviceIds]), parts);
  }
}

/** Most names that are searched for one like it. */
const SEARCHED_MAX = 2_000;

/** The complaint about a name that nothing has. */
function unknown(what: string, name: string, known: readonly string[]): Complaint {
  const nearest = findNearest(name, known.slice(0, SEARCHED_MAX));
  const few = known.length <= 10 ? `: ${known.join(", ") || "there is none"}` : "";
  return {
    found: `the unknown ${what} ${name}`,
    expected: `a ${what} of this site${few}`,
    remedy: nearest === undefined ? `add the ${what}, or mend the name` : `did you mean ${nearest}?`,
  };
}

function parameterValues(
  expanded: ExpandedDevice,
  { profile }: DeviceProfile,
  parts: SiteParts,
): ParameterValues {
  checkParameterNames(expanded, profile, parts);
  const values: Record<string, number> = {};
  for (const [name, { min, max, default: preset }] of Object.entries(profile.parameters)) {
    const value = expanded.parameters[name] ?? preset;
    const expected = `a whole number from ${min} to ${max}`;
    if (value !== undefined && value >= min && value <= max) {
      values[name] = value;
      continue;
    }
    const complaint =
      value === undefined
        ? { found: `no ${name}`, expected, remedy: `add ${name}` }
        : { found: String(value), expected, remedy: `write ${expected}` };
    tell(expanded, parameterKey(expanded, name), complaint, parts);
  }
  return values;
}

function checkParameterNames(expanded: ExpandedDevice, { id, parameters }: Profile, parts: SiteParts): void {
  const names = Object.keys(parameters);
  for (const name of Object.keys(expanded.parameters).filter((name) => !names.includes(name))) {
    const nearest = findNearest(name, names);
    const complaint = {
      at: "key",
      found: `the unknown parameter ${name}`,
      expected: names.length === 0 ? `no parameters on ${id}` : `one of ${names.join(", ")}`,
      remedy: nearest === undefined ? "remove it" : `did you mean ${nearest}?`,
    } as const;
    tell(expanded, parameterKey(expanded, name), complaint, parts);
  }
}

function parameterKey({ entry }: ExpandedDevice, name: string): string {
  return Object.hasOwn(entry.repeat ?? {}, name) ? `repeat/${name}` : `parameters/${name}`;
}

function checkPoints(expanded: ExpandedDevice, { profile }: DeviceProfile, parts: SiteParts): void {
  for (const { index, complaint } of devicePointsComplaints(expanded.entry.points ?? [], profile)) {
    tell(expanded, `points/${index}`, complaint, parts);
  }
}

function choiceOf({ commandClass, points }: ExpandedDevice["entry"]): DeviceChoice {
  return { raised: commandClass, ...(points !== undefined && { points }) };
}

const CLASS_ORDER: readonly CommandClass[] = ["K0", "K1", "K2", "K3"];

/** A site may raise the class that the profile gives a point, never lower it. */
function checkClasses(expanded: ExpandedDevice, { profile }: DeviceProfile, parts: SiteParts): void {
  const { commandClass, points } = expanded.entry;
  for (const [name, raised] of Object.entries(commandClass)) {
    const writable = profile.points.filter(
      (point) => point.commandClass !== undefined && points?.includes(point.name) !== false,
    );
    const floor = writable.find((point) => point.name === name)?.commandClass;
    if (floor === undefined) {
      const expected = `a point of ${profile.id} that is written${points === undefined ? "" : " and listed in points"}`;
      const remedy = `write one of ${writable.map((point) => point.name).join(", ") || "none: it has no such point"}`;
      tell(expanded, `commandClass/${name}`, { at: "key", found: name, expected, remedy }, parts);
    } else if (CLASS_ORDER.indexOf(raised) < CLASS_ORDER.indexOf(floor)) {
      const expected = `${floor} or above, as the profile says`;
      tell(
        expanded,
        `commandClass/${name}`,
        { found: raised, expected, remedy: "remove it: a site never lowers a class" },
        parts,
      );
    }
  }
}

function unitAddressOf(
  expanded: ExpandedDevice,
  {
    driver,
    bus,
  }: Pick<DeviceProfile, "driver"> & {
    readonly bus: { readonly driver: string; readonly config: unknown } | undefined;
  },
  parts: SiteParts,
): string | undefined {
  const isRepeated = Object.hasOwn(expanded.entry.repeat ?? {}, "unit");
  try {
    return driver.parseUnitAddress(expanded.unit, bus?.driver === driver.name ? bus.config : undefined);
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    const isMissing = expanded.unit === undefined;
    const found = isMissing ? "no unit" : show(expanded.unit);
    const remedy = isMissing ? "add unit" : error.message;
    tell(expanded, isRepeated ? "repeat/unit" : "unit", { found, expected: error.expected, remedy }, parts);
    return undefined;
  }
}

/** A value that is old before it is asked again would never be shown as fresh. */
function checkMaxAge(
  expanded: ExpandedDevice,
  definitions: readonly PointDefinition[],
  { parts, bus }: { readonly parts: SiteParts; readonly bus: Omit<SiteBus, "isolationGroup"> },
): void {
  for (const { name, access, pollClass, maxAge } of definitions) {
    const interval = bus.pollIntervals[pollClass];
    if (access === "write" || interval <= maxAge) continue;
    const found = `bus ${bus.id}, which polls ${pollClass} every ${interval / 1_000} s`;
    const expected = `at most the ${maxAge / 1_000} s after which ${name} of ${expanded.entry.profile} is old`;
    tell(expanded, "bus", { found, expected, remedy: `lower pollIntervals/${pollClass} of the bus` }, parts);
    return;
  }
}

function deviceOf(
  { id, name, parent, members, entry }: ExpandedDevice,
  { profile }: DeviceProfile,
  resolved: { readonly unitAddress: string; readonly definitions: readonly PointDefinition[] },
): UnnumberedDevice {
  const deviceId = DeviceId(id);
  return {
    id: deviceId,
    name,
    class: profile.class,
    service: DEVICE_CLASSES[profile.class],
    profileId: profile.id,
    profileHash: profile.hash,
    busId: BusId(entry.bus),
    unitAddress: resolved.unitAddress,
    ...(entry.position !== undefined && { position: entry.position }),
    // Names of devices that are missing or no slug were told already, and then no site is made.
    ...(parent !== undefined && { parent: DeviceId(parent) }),
    members: members.map(DeviceId),
    points: resolved.definitions.map((definition) => ({
      id: pointIdOf(deviceId, definition.name),
      definition,
    })),
    quirks: profile.quirks,
    ...probeOf(profile, resolved.definitions),
  };
}

/** A device that has only some points of its profile is probed by those. */
function probeOf(
  { probe = [] }: Profile,
  definitions: readonly PointDefinition[],
): Pick<UnnumberedDevice, "probe"> {
  const own = probe.filter(({ point }) => definitions.some(({ name }) => name === point));
  return own.length === 0 ? {} : { probe: own };
}
