import { z } from "zod";
import { POLL_CLASSES } from "../../domain/point.ts";
import { DRIVER_NAMES } from "../../drivers/registry.ts";
import { duration, parameterName, SLUG, slug, text, whole } from "./source/schema-words.ts";

const PATH = "a path, relative to this file";
const CENTER_URL = "https://host:port of the center's gateway listener";
const HOST = "an address of this machine, e.g. 127.0.0.1";
const PORT = "a TCP port from 0 to 65535; 0 lets the system choose";

function isCenterUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, pathname, search, hash, username } = new URL(url);
  return protocol === "https:" && pathname === "/" && search + hash + username === "";
}

const STORE_MIB = "a whole number of MiB";

/** All but the entries of buses and devices, which are checked one by one, so that one mistake hides no other. */
export const SITE_SCHEMA = z.strictObject(
  {
    site: z.strictObject(
      { id: slug, name: text(200, "a name for people") },
      "{ id: old-town, name: Old town }",
    ),
    gateway: slug,
    dataFolder: text(1_000, PATH),
    center: z
      .strictObject(
        {
          url: z.string(CENTER_URL).refine(isCenterUrl, CENTER_URL),
          reconnectMin: duration("100 ms", "5 min", "60 s").prefault("60 s"),
          reconnectMax: duration("1 s", "1 h", "5 min").prefault("5 min"),
        },
        "{ url: https://host:port }",
      )
      .exactOptional(),
    broker: z
      .strictObject(
        {
          host: text(253, HOST).default("127.0.0.1"),
          port: whole(0, 65_535, PORT).default(1_883),
          passwordFile: text(1_000, PATH).exactOptional(),
        },
        "{ host: 127.0.0.1, port: 1883 }",
      )
      .prefault({}),
    store: z
      .strictObject(
        {
          quotaMiB: whole(16, 1_048_576, STORE_MIB).default(4_096),
          ballastMiB: whole(0, 1_024, STORE_MIB).default(64),
        },
        "{ quotaMiB: 4096, ballastMiB: 64 }",
      )
      .prefault({}),
    profiles: z.array(text(1_000, PATH), "a list of folders").max(20, "at most 20 folders").default([]),
    /** The largest gateway of a metropolis has some 450 cabinets, each on a socket of its own. */
    buses: z
      .array(z.unknown(), "a list of buses")
      .min(1, "at least one bus")
      .max(1_024, "at most 1024 buses"),
    devices: z.array(z.unknown(), "a list of devices").max(100_000, "at most 100000 devices"),
  },
  "a mapping with site, gateway, dataFolder, buses and devices",
);

const interval = duration("50 ms", "24 h", "30 s").exactOptional();

/** Other keys of a bus are the driver's. */
export const BUS_SCHEMA = z.looseObject(
  {
    id: slug,
    driver: z.string().refine((name) => DRIVER_NAMES.some((known) => known === name), {
      error: `one of ${DRIVER_NAMES.join(", ")}`,
    }),
    isolationGroup: slug.exactOptional(),
    requestTimeout: duration("50 ms", "60 s", "1 s").prefault("1 s"),
    pollIntervals: z
      .strictObject(
        Object.fromEntries(POLL_CLASSES.map((pollClass) => [pollClass, interval])),
        "a mapping from poll class to interval, e.g. { lamp: 30 s }",
      )
      .default({}),
  },
  "a mapping with id, driver and what the driver needs",
);
export type WrittenBus = z.output<typeof BUS_SCHEMA>;

const REPEAT = "numbers and ranges, ascending, e.g. 0..63 or 0..11,13";
const ID = `${SLUG}; with repeat it holds its names, e.g. lamp-{shortAddress}`;
const POINTS = "at least one name of a point of the profile, e.g. [dim-level, actual-level]";
const degrees = (most: number, what: string) => z.number(what).min(-most, what).max(most, what);

export const DEVICE_SCHEMA = z.strictObject(
  {
    /** One entry for many devices alike: one for each number, or each combination of several. */
    repeat: z
      .record(
        parameterName,
        z.union(
          [
            whole(0, 65_535, REPEAT),
            z.string(REPEAT).regex(/^\s*\d+(\.\.\d+)?(\s*,\s*\d+(\.\.\d+)?)*\s*$/, REPEAT),
          ],
          REPEAT,
        ),
        "a mapping from parameter to numbers, e.g. { shortAddress: 0..63 }",
      )
      .exactOptional(),
    id: text(200, ID),
    name: text(200, "a name for people").exactOptional(),
    profile: slug,
    bus: slug,
    unit: z.union([z.number(), z.string()], "the unit address, e.g. 1").exactOptional(),
    parameters: z
      .record(parameterName, z.int("a whole number"), "a mapping, e.g. { shortAddress: 7 }")
      .default({}),
    members: z
      .array(text(200, "the id of a device, or lamp-{0..46} for many"), "a list of device ids")
      .max(1_000, "at most 1000 members")
      .default([]),
    position: z
      .strictObject(
        {
          latitude: degrees(90, "degrees from -90 to 90 (WGS 84)"),
          longitude: degrees(180, "degrees from -180 to 180 (WGS 84)"),
        },
        "{ latitude: 47.32, longitude: 5.04 }",
      )
      .exactOptional(),
    parent: text(200, "the id of the device it hangs on").exactOptional(),
    /** Only these points of the profile are polled, told and commanded; absent: all. */
    points: z.array(slug, POINTS).min(1, POINTS).max(1_000, "at most 1000 points").exactOptional(),
    /** Raises the class of points, by name; never lowers it. */
    commandClass: z
      .record(
        slug,
        z.enum(["K1", "K2", "K3"], "K1, K2 or K3"),
        "a mapping from point to class, e.g. { dim-level: K2 }",
      )
      .default({}),
  },
  "a mapping with id, profile, bus and unit",
);
export type WrittenDevice = z.output<typeof DEVICE_SCHEMA>;
