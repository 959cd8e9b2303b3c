import { resolve } from "node:path";
import { z } from "zod";
import { Millis } from "../../../domain/time.ts";
import type { SiteFolders } from "../../driver.ts";
import { durationSetting } from "../../duration-setting.ts";
import type { LineConfig } from "../../line/line-config.ts";
import { LINE_SETTING, parseLineSetting } from "../../line/line-setting.ts";
import { parseSetting } from "../../parse-setting.ts";

/** One RS-485 line with OSDP units on it. */
export interface OsdpBusConfig {
  readonly dialect: "osdp";
  readonly line: LineConfig;
  readonly security: OsdpSecurity;
  /** 20 ms … 2 s, default 200 ms (SIA OSDP 2.2 §5.7: a unit answers within 200 ms). */
  readonly replyTimeout: Millis;
  /** 20 ms … 2 s, default 50 ms: how often each unit is polled. */
  readonly pollEvery: Millis;
}

/** `off`: frames go in clear and anybody with access to the wire opens the door; said by the site file, never assumed. */
export type OsdpSecurity =
  | { readonly mode: "required" /** A key for each unit: see `unit-keys.ts`. */; readonly keyFile: string }
  | { readonly mode: "off" };

const SECURITY =
  "{ mode: required, keyFile: doors.keys }; { mode: off } sends everything in clear and is for a bench only";
const KEY_FILE = "the path of the file with the units' keys, from the site file's folder, e.g. doors.keys";
const CONFIG = z.strictObject(
  {
    dialect: z.literal("osdp", '"osdp"'),
    line: LINE_SETTING,
    security: z.discriminatedUnion(
      "mode",
      [
        z.strictObject({
          mode: z.literal("required"),
          keyFile: z.string(KEY_FILE).min(1, KEY_FILE).max(1_000, KEY_FILE),
        }),
        z.strictObject({ mode: z.literal("off") }),
      ],
      SECURITY,
    ),
    replyTimeout: durationSetting("20 ms", "2 s", "200 ms").default(Millis(200)),
    pollEvery: durationSetting("20 ms", "2 s", "50 ms").default(Millis(50)),
  },
  `{ dialect: osdp, line: { … }, security: ${SECURITY} }`,
);

/** SIA OSDP 2.2 §5.2: 8 data bits, no parity, 1 stop bit; 9600 unless the units were set otherwise. */
const FORMAT = { baud: 9_600, parity: "none", stopBits: 1 } as const;

/** @throws {AddressError} */
export function parseOsdpBusConfig(data: unknown, folders?: SiteFolders): OsdpBusConfig {
  const { line, security, ...config } = parseSetting(CONFIG, data);
  const keyFile = (written: string): string => resolve(folders?.site ?? ".", written);
  return {
    ...config,
    line: parseLineSetting(line, FORMAT),
    security: security.mode === "off" ? security : { ...security, keyFile: keyFile(security.keyFile) },
  };
}
