import { z } from "zod";
import { Millis } from "../../../domain/time.ts";
import { durationSetting } from "../../duration-setting.ts";
import type { LineConfig } from "../../line/line-config.ts";
import { LINE_SETTING, parseLineSetting } from "../../line/line-setting.ts";
import { parseSetting } from "../../parse-setting.ts";

/** One serial line with devices of ASCII protocols on it. */
export interface AsciiBusConfig {
  readonly dialect: "ascii";
  readonly line: LineConfig;
  /** 0 … 1 s, default 5 ms: least silence before a question. */
  readonly rest: Millis;
}

const CONFIG = z.strictObject(
  {
    dialect: z.literal("ascii", '"ascii"'),
    line: LINE_SETTING,
    rest: durationSetting("0 ms", "1 s", "5 ms").default(Millis(5)),
  },
  "{ dialect: ascii, line: { kind: serial, path: /dev/ttyS0, baud: 9600 } }",
);

/** @throws {AddressError} */
export function parseAsciiBusConfig(data: unknown): AsciiBusConfig {
  const { line, ...config } = parseSetting(CONFIG, data);
  return { ...config, line: parseLineSetting(line, { parity: "none", stopBits: 1 }) };
}
