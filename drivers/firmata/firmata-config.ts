import { z } from "zod";
import { Millis } from "../../domain/time.ts";
import { AddressError } from "../driver.ts";
import { durationSetting } from "../duration-setting.ts";
import type { LineConfig } from "../line/line-config.ts";
import { LINE_SETTING, parseLineSetting } from "../line/line-setting.ts";
import { parseSetting } from "../parse-setting.ts";

/** One board. */
export interface FirmataBusConfig {
  readonly line: LineConfig;
  /** 10 ms … 10 s, default 100 ms: how often analog channels are told. */
  readonly samplingInterval: Millis;
  /** 1 s … 60 s, default 10 s: from the open line to the board's capabilities; a board that resets at opening needs 2 s. */
  readonly startTimeout: Millis;
}

const LINE = "{ kind: serial, path: /dev/ttyACM0 } or { kind: tcp, host: 10.20.0.5, port: 4001 }";
const CONFIG = z.strictObject(
  {
    line: LINE_SETTING,
    samplingInterval: durationSetting("10 ms", "10 s", "100 ms").default(Millis(100)),
    startTimeout: durationSetting("1 s", "60 s", "10 s").default(Millis(10_000)),
  },
  `{ line: ${LINE} }`,
);
/** StandardFirmata 2.5: 57,600 8N1. */
const FORMAT = { baud: 57_600, parity: "none", stopBits: 1 } as const;

/** @throws {AddressError} */
export function parseBusConfig(data: unknown): FirmataBusConfig {
  const { line, ...config } = parseSetting(CONFIG, data);
  return { ...config, line: parseLineSetting(line, FORMAT) };
}

const UNIT = "0: a line has one board";

/** @throws {AddressError} */
export function parseUnitAddress(data: unknown): string {
  if (data === 0 || data === "0") return "0";
  throw new AddressError("", UNIT, `${JSON.stringify(data)} is no unit of a Firmata line: write ${UNIT}`);
}
