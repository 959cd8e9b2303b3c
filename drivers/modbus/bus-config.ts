import { z } from "zod";
import { Millis } from "../../domain/time.ts";
import { AddressError } from "../driver.ts";
import { durationSetting } from "../duration-setting.ts";
import {
  type FormatDefaults,
  type LineConfig,
  serialLineOf,
  serialShape,
  tcpLineOf,
  tcpShape,
} from "../line/line-config.ts";
import { parseSetting } from "../parse-setting.ts";

/** How to reach the units of one bus. Another transport is another member of this union. */
export type ModbusBusConfig = ModbusTcpConfig | ModbusRtuConfig;

/** Modbus TCP: MODBUS Messaging on TCP/IP Implementation Guide V1.0b. */
export interface ModbusTcpConfig extends ReadGaps {
  readonly transport: "tcp";
  /** Host name or address of the unit or of the gateway before it. */
  readonly host: string;
  /** 1 … 65535, default 502. */
  readonly port: number;
  /** 10 ms … 60 s; absent: the field host's own. */
  readonly requestTimeout?: Millis;
  /** 10 ms … 60 s, default 3 s: from the first SYN to the open connection. */
  readonly connectTimeout: Millis;
}

/** Modbus RTU: MODBUS over Serial Line V1.02, on a port of this machine or behind a serial device server. */
export interface ModbusRtuConfig extends ReadGaps {
  readonly transport: "rtu" | "rtu-over-tcp";
  readonly line: LineConfig;
  /**
   * 10 ms … 60 s; absent: the field host's own. From the last character of a request to its answer: the time of both
   * frames on the wire comes on top.
   */
  readonly requestTimeout?: Millis;
}

/**
 * How many unasked places may be read between two asked ones, so that one request serves both.
 * 0 where reading a place changes something in the unit.
 */
export interface ReadGaps {
  /** 0 … 124, default 16; 12 on a serial line, where a register costs two characters and a request some 25. */
  readonly gapRegisters: number;
  /** 0 … 1999, default 256; 192 on a serial line. */
  readonly gapBits: number;
}

const within = (min: number, max: number, expected: string) =>
  z.int(expected).min(min, expected).max(max, expected);

const duration = durationSetting("10 ms", "60 s", "500 ms");

const HOST = 'the host name or address of the unit or of its gateway, e.g. "10.20.0.5"';
const gaps = (defaults: ReadGaps) => ({
  requestTimeout: duration.optional(),
  gapRegisters: within(0, 124, "a number of registers from 0 to 124; 0 reads no register unasked").default(
    defaults.gapRegisters,
  ),
  gapBits: within(0, 1_999, "a number of bits from 0 to 1999; 0 reads no bit unasked").default(
    defaults.gapBits,
  ),
});

/** Reading on costs less than asking again, up to about half of what a request of its own takes on the wire. */
const SERIAL_GAPS: ReadGaps = { gapRegisters: 12, gapBits: 192 };
/** MODBUS over Serial Line V1.02 §2.5.1: even parity by default, two stop bits without. The speed has to be said. */
const FORMAT: FormatDefaults = { parity: "even", stopBits: "two-without-parity" };

const TRANSPORT =
  '{ transport: tcp, host: "10.20.0.5" }, { transport: rtu, path: /dev/ttyS0, baud: 19200 } or { transport: rtu-over-tcp, host: "10.20.0.5", port: 4001, baud: 19200 }';
const BUS = z.discriminatedUnion(
  "transport",
  [
    z.strictObject({
      transport: z.literal("tcp"),
      host: z.string(HOST).trim().min(1, HOST).max(253, HOST),
      port: within(1, 65_535, "a TCP port from 1 to 65535; Modbus has 502").default(502),
      connectTimeout: duration.default(Millis(3_000)),
      ...gaps({ gapRegisters: 16, gapBits: 256 }),
    }),
    z.strictObject({ transport: z.literal("rtu"), ...serialShape(FORMAT), ...gaps(SERIAL_GAPS) }),
    z.strictObject({ transport: z.literal("rtu-over-tcp"), ...tcpShape(FORMAT), ...gaps(SERIAL_GAPS) }),
  ],
  TRANSPORT,
);

/** @throws {AddressError} */
export function parseBusConfig(data: unknown): ModbusBusConfig {
  const { requestTimeout, ...config } = parseSetting(BUS, data);
  const own = requestTimeout === undefined ? {} : { requestTimeout };
  if (config.transport === "tcp") return { ...config, ...own };
  const { transport, gapRegisters, gapBits } = config;
  const line = transport === "rtu" ? serialLineOf(config, FORMAT) : tcpLineOf(config, FORMAT);
  return { transport, line, gapRegisters, gapBits, ...own };
}

const SERIAL_UNIT = "a unit address from 1 to 247";
const TCP_UNIT = `${SERIAL_UNIT}, or 255 for the device that owns the TCP address`;

/**
 * Takes a number or its text. Modbus V1.1b3 §4.1, Messaging on TCP/IP V1.0b §4.4.2.1: 0 is broadcast, which no unit
 * answers, so nothing could be proven; 248 … 255 are reserved, and 255 means something on TCP only.
 * @throws {AddressError}
 */
export function parseUnitAddress(data: unknown, bus?: ModbusBusConfig): string {
  const expected = bus === undefined || bus.transport === "tcp" ? TCP_UNIT : SERIAL_UNIT;
  const text = typeof data === "number" ? String(data) : data;
  const unit = typeof text === "string" && /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if ((unit >= 1 && unit <= 247) || (unit === 255 && expected === TCP_UNIT)) return String(unit);
  throw new AddressError(
    "",
    expected,
    `${JSON.stringify(data)} is no unit address${whyNot(unit)}: write ${expected}`,
  );
}

function whyNot(unit: number): string {
  if (unit === 0) return ": 0 is broadcast, which nobody answers";
  return unit === 255 ? ": no unit on a serial line has the 255 of Modbus TCP" : "";
}
