import { dirname, join, resolve } from "node:path";
import { GatewayId, SiteId } from "../../domain/ids.ts";
import type { SiteFolders } from "../../drivers/driver.ts";
import { loadDriver as loadRegisteredDriver } from "../../drivers/registry.ts";
import { checkGroups } from "./check-groups.ts";
import { checkOverlaps } from "./check-overlaps.ts";
import type { DeviceProfile } from "./device-profile.ts";
import { type ExpandedDevice, expandDevice } from "./expand-devices.ts";
import { type CheckedBus, loadBuses } from "./load-buses.ts";
import { type LoadDriver, loadProfile, type ProfileFile } from "./load-profile.ts";
import { type FoundProfiles, findProfiles, PROFILE_BYTES_MAX, readBounded } from "./profile-folders.ts";
import { type ResolvedDevice, resolveDevice } from "./resolve-devices.ts";
import type { SiteBus, UnnumberedSite } from "./site.ts";
import { SiteFileError } from "./site-file-error.ts";
import { DEVICE_SCHEMA, SITE_SCHEMA, type WrittenDevice } from "./site-file-schema.ts";
import { readJson } from "./source/json-source.ts";
import { type Complaint, ProblemList } from "./source/problem-list.ts";
import { checkSchema } from "./source/schema-problems.ts";
import { readYaml, type YamlSource } from "./source/yaml-source.ts";

/** Where profiles and drivers come from; a site file may add folders of its own. */
export interface SiteSources {
  readonly profileFolders: readonly string[];
  readonly loadDriver: LoadDriver;
  /** Sound profiles of the sites that were loaded before with these sources, by file: read once, and their points shared. */
  readonly loaded?: Map<string, { readonly text: string; readonly profile: DeviceProfile }>;
}

/** Those of the product. */
export const PRODUCT_SOURCES: SiteSources = {
  profileFolders: [join(import.meta.dirname, "../../profiles")],
  loadDriver: loadRegisteredDriver,
};

/** Largest site file, in bytes. */
const SITE_BYTES_MAX = 16 * 1024 * 1024;
/** Most points of a site: beyond any gateway that is polled in time. */
const POINTS_MAX = 1_000_000;

/**
 * Reads a site file and its profiles, and checks them whole; nothing is opened or connected.
 * @throws {SiteFileError} with everything that is wrong at once, each with its place and remedy.
 */
export async function loadSite(
  path: string,
  sources: SiteSources = PRODUCT_SOURCES,
): Promise<UnnumberedSite> {
  const source = await readSite(path);
  const problems = new ProblemList();
  const header = checkSchema(SITE_SCHEMA, source.data, { source, at: [], problems });
  const folders = [...sources.profileFolders, ...ownFolders(source, path)];
  const buses = await loadBuses(listAt(source, "buses"), {
    source,
    problems,
    loadDriver: sources.loadDriver,
    folders: foldersOf(path, header?.dataFolder),
  });
  const { entries, isWhole } = checkEntries(source, problems);
  const found = await searchProfiles(folders, { source, problems });
  const profiles = await loadProfiles(entries, found, { sources, source, problems });
  const expanded = entries.flatMap(({ entry, index }) =>
    expandDevice(entry, ["devices", index], { source, problems }),
  );
  const ids = uniqueIds(expanded, { source, problems });
  const busIds = listAt(source, "buses").flatMap((bus) => idOf(bus) ?? []);
  const deviceIds = isWhole ? ids : null;
  const parts = { source, problems, busIds, buses, profiles, profileIds: [...found.keys()], deviceIds };
  const devices = resolveAll(expanded, parts);
  checkOverlaps(devices, { source, problems });
  checkGroups(devices, { source, problems });
  const byBus = Map.groupBy(devices, ({ device }) => device.busId);
  const siteBuses = [...buses.values()].map((bus) =>
    isolate(bus, byBus.get(bus.id) ?? [], { source, problems }),
  );
  if (header === undefined || problems.size > 0) throw new SiteFileError(path, problems.sorted());
  return {
    ...settingsOf(header, dirname(resolve(path))),
    buses: siteBuses,
    devices: devices.map(({ device }) => device),
    profiles: [...new Set(devices.map(({ loaded }) => loaded.profile))],
  };
}

interface Told {
  readonly source: YamlSource;
  readonly problems: ProblemList;
}

async function readSite(path: string): Promise<YamlSource> {
  const refuse = (complaint: Complaint): never => {
    throw new SiteFileError(path, [{ file: path, line: 1, column: 1, pointer: "", ...complaint }]);
  };
  const read = await readBounded(path, SITE_BYTES_MAX).catch((error: unknown) =>
    refuse({ found: reasonOf(error), expected: "a site file", remedy: "check the path and who may read it" }),
  );
  if ("complaint" in read) return refuse(read.complaint);
  const { source, problems } = (path.endsWith(".json") ? readJson : readYaml)(path, read.text);
  if (source === null) throw new SiteFileError(path, problems);
  return source;
}

function reasonOf(error: unknown): string {
  return error instanceof Error && "code" in error ? `no readable file (${error.code})` : "no readable file";
}

function listAt({ data }: YamlSource, key: string): readonly unknown[] {
  const list: unknown = Object(data)[key];
  return Array.isArray(list) ? list : [];
}

function idOf(entry: unknown): string | undefined {
  const id: unknown = Object(entry).id;
  return typeof id === "string" ? id : undefined;
}

function ownFolders(source: YamlSource, path: string): readonly string[] {
  const folders = listAt(source, "profiles").filter((folder) => typeof folder === "string");
  return folders.map((folder) => resolve(dirname(path), folder));
}

function checkEntries(source: YamlSource, problems: ProblemList) {
  const entries: { readonly entry: WrittenDevice; readonly index: number }[] = [];
  const written = listAt(source, "devices");
  for (const [index, data] of written.entries()) {
    const entry = checkSchema(DEVICE_SCHEMA, data, { source, at: ["devices", index], problems });
    if (entry !== undefined) entries.push({ entry, index });
  }
  return { entries, isWhole: entries.length === written.length };
}

async function searchProfiles(
  folders: readonly string[],
  { source, problems }: Told,
): Promise<FoundProfiles> {
  try {
    return await findProfiles(folders);
  } catch (error) {
    const expected = "folders with profiles";
    problems.add(source, ["profiles"], {
      found: reasonOf(error),
      expected,
      remedy: "mend the paths under profiles",
    });
    return new Map();
  }
}

/** Only those that a device names; `null` for one that is there and broken. */
async function loadProfiles(
  entries: readonly { readonly entry: WrittenDevice; readonly index: number }[],
  found: FoundProfiles,
  { sources, source, problems }: Told & { readonly sources: SiteSources },
): Promise<ReadonlyMap<string, DeviceProfile | null>> {
  const profiles = new Map<string, DeviceProfile | null>();
  for (const { entry, index } of entries) {
    const id = entry.profile;
    const [file, ...others] = found.get(id) ?? [];
    if (file === undefined || profiles.has(id)) continue;
    if (others.length > 0) {
      const expected = `one file ${id}.yaml, not also ${others.join(", ")}`;
      problems.add(source, ["devices", index, "profile"], {
        found: file,
        expected,
        remedy: "give your own profile another id",
      });
    }
    const read = await readBounded(file, PROFILE_BYTES_MAX);
    if ("complaint" in read)
      problems.addProblem({ file, line: 1, column: 1, pointer: "", ...read.complaint });
    const loaded =
      "text" in read ? await loadOnce({ file, id, text: read.text }, sources, problems) : undefined;
    profiles.set(id, loaded ?? null);
  }
  return profiles;
}

async function loadOnce(
  profile: ProfileFile,
  { loadDriver, loaded }: SiteSources,
  problems: ProblemList,
): Promise<DeviceProfile | undefined> {
  const { file, text } = profile;
  const known = loaded?.get(file);
  if (known?.text === text) return known.profile;
  const fresh = await loadProfile(profile, loadDriver, problems);
  if (fresh !== undefined) loaded?.set(file, { text, profile: fresh });
  return fresh;
}

function uniqueIds(expanded: readonly ExpandedDevice[], { source, problems }: Told): ReadonlySet<string> {
  const ids = new Map<string, ExpandedDevice>();
  for (const device of expanded) {
    const first = ids.get(device.id);
    if (first === undefined) {
      ids.set(device.id, device);
      continue;
    }
    const expected = `an id that no other device has (/${first.path.join("/")} has it)`;
    problems.add(source, [...device.path, "id"], {
      found: device.id,
      expected,
      remedy: "rename one of the two",
    });
  }
  return new Set(ids.keys());
}

function resolveAll(
  expanded: readonly ExpandedDevice[],
  parts: Parameters<typeof resolveDevice>[1],
): readonly ResolvedDevice[] {
  const devices: ResolvedDevice[] = [];
  let points = 0;
  for (const one of expanded) {
    const resolved = resolveDevice(one, parts);
    if (resolved === undefined) continue;
    devices.push(resolved);
    points += resolved.device.points.length;
    if (points <= POINTS_MAX) continue;
    const expected = `at most ${POINTS_MAX} points on one gateway`;
    parts.problems.add(parts.source, one.path, {
      found: "more points",
      expected,
      remedy: "give some buses to another gateway",
    });
    return devices;
  }
  return devices;
}

/** Services do not share a field host unseen: a bus with devices of two must say with whom it goes (DOMAIN E.6). */
function isolate(bus: CheckedBus, devices: readonly ResolvedDevice[], { source, problems }: Told): SiteBus {
  const { writtenGroup, index, ...rest } = bus;
  const services = new Set(devices.map(({ device }) => device.service));
  if (writtenGroup === undefined && services.size > 1) {
    const found = `devices of ${[...services].join(" and ")} on bus ${bus.id}`;
    const remedy = "add isolationGroup to the bus, or move the devices to buses of their own";
    problems.add(source, ["buses", index], { found, expected: "devices of one service on a bus", remedy });
  }
  const [service] = services;
  return { ...rest, isolationGroup: writtenGroup ?? service ?? bus.id };
}

/** Without a data folder the site file is refused anyway. */
function foldersOf(path: string, dataFolder = "."): SiteFolders {
  const site = resolve(dirname(path));
  return { site, data: resolve(site, dataFolder) };
}

const MIB = 1024 ** 2;

function settingsOf(header: ReturnType<typeof SITE_SCHEMA.parse>, folder: string) {
  const { site, gateway, dataFolder, center, broker, store } = header;
  const { passwordFile, ...listener } = broker;
  return {
    siteId: SiteId(site.id),
    gatewayId: GatewayId(gateway),
    name: site.name,
    ...(center !== undefined && { center }),
    broker: {
      ...listener,
      ...(passwordFile !== undefined && { passwordFile: resolve(folder, passwordFile) }),
    },
    dataFolder: resolve(folder, dataFolder),
    store: { quotaBytes: store.quotaMiB * MIB, ballastBytes: store.ballastMiB * MIB },
  };
}
