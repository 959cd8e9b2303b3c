import { z } from "zod";
import { Millis } from "../../domain/time.ts";
import { durationSetting } from "../duration-setting.ts";
import { parseSetting } from "../parse-setting.ts";
import { type CharacterFormat, PARITIES, type Parity } from "./character-format.ts";

export type LineConfig = SerialLineConfig | TcpLineConfig;

/** A serial port of this machine. */
export interface SerialLineConfig extends CharacterFormat {
  readonly kind: "serial";
  /** The device file, best by its stable name: `/dev/serial/by-id/usb-FTDI_…`. */
  readonly path: string;
}

/**
 * A serial device server that passes bytes on as they come ("raw TCP", "TCP server mode"). The character format is
 * that of the wire behind it: it is set on the server itself, and told here because gaps and time-outs follow from it.
 */
export interface TcpLineConfig extends CharacterFormat {
  readonly kind: "tcp";
  readonly host: string;
  /** 1 … 65535; such servers have no common one. */
  readonly port: number;
  /** 10 ms … 60 s, default 3 s: from the first SYN to the open connection. */
  readonly connectTimeout: Millis;
}

/** What the protocol on the line usually has; the site file may say otherwise. */
export interface FormatDefaults {
  /** Absent: the site file has to say it. */
  readonly baud?: number;
  readonly parity: Parity;
  /** Two stop bits keep the length of a character where there is no parity bit (Modbus over Serial Line V1.02 §2.5.1). */
  readonly stopBits: 1 | "two-without-parity";
}

const BAUD = "the speed of the line in bits a second, from 50 to 4000000, e.g. 19200";
const PATH =
  "the device file of the port, e.g. /dev/serial/by-id/usb-FTDI_FT232R_A50285BI-if00-port0 or /dev/ttyS0";
const HOST = 'the host name or address of the serial device server, e.g. "10.20.0.5"';
const PORT = "the TCP port of the serial device server, from 1 to 65535";

const baud = z.int(BAUD).min(50, BAUD).max(4_000_000, BAUD);
const formatShape = (defaults: FormatDefaults) => ({
  baud: defaults.baud === undefined ? baud : baud.default(defaults.baud),
  parity: z.enum(PARITIES, `one of ${PARITIES.join(", ")}`).default(defaults.parity),
  dataBits: z.literal([7, 8], "7 or 8").default(8),
  stopBits: z.literal([1, 2], "1 or 2").optional(),
});

/** The keys of a serial port, for a driver that puts its own beside them in one `z.strictObject`; see {@link serialLineOf}. */
export const serialShape = (defaults: FormatDefaults) => ({
  path: z
    .string(PATH)
    .regex(/^\/[^\0]+$/, PATH)
    .max(1_000, PATH),
  ...formatShape(defaults),
});

/** The keys of a serial device server, likewise; see {@link tcpLineOf}. */
export const tcpShape = (defaults: FormatDefaults) => ({
  host: z.string(HOST).trim().min(1, HOST).max(253, HOST),
  port: z.int(PORT).min(1, PORT).max(65_535, PORT),
  connectTimeout: durationSetting("10 ms", "60 s", "500 ms").default(Millis(3_000)),
  ...formatShape(defaults),
});

type WrittenSerial = z.output<z.ZodObject<ReturnType<typeof serialShape>>>;
type WrittenTcp = z.output<z.ZodObject<ReturnType<typeof tcpShape>>>;

/** Takes what {@link serialShape} let through. */
export function serialLineOf(written: WrittenSerial, defaults: FormatDefaults): SerialLineConfig {
  return { kind: "serial", path: written.path, ...formatOf(written, defaults) };
}

/** Takes what {@link tcpShape} let through. */
export function tcpLineOf(written: WrittenTcp, defaults: FormatDefaults): TcpLineConfig {
  const { host, port, connectTimeout } = written;
  return { kind: "tcp", host, port, connectTimeout, ...formatOf(written, defaults) };
}

/** For a driver that keeps its line in a key of its own: `{ kind: serial, path, baud, … }`. @throws {AddressError} */
export function parseLineConfig(data: unknown, defaults: FormatDefaults): LineConfig {
  const written = parseSetting(lineSchema(defaults), data);
  return written.kind === "serial" ? serialLineOf(written, defaults) : tcpLineOf(written, defaults);
}

const lineSchema = (defaults: FormatDefaults) =>
  z.discriminatedUnion(
    "kind",
    [
      z.strictObject({ kind: z.literal("serial"), ...serialShape(defaults) }),
      z.strictObject({ kind: z.literal("tcp"), ...tcpShape(defaults) }),
    ],
    "{ kind: serial, path: /dev/ttyS0, baud: 19200 } or { kind: tcp, host: 10.20.0.5, port: 4001, baud: 19200 }",
  );

function formatOf(
  written: Omit<CharacterFormat, "stopBits"> & { readonly stopBits?: 1 | 2 | undefined },
  defaults: FormatDefaults,
): CharacterFormat {
  const { baud, parity, dataBits } = written;
  const usual = defaults.stopBits === "two-without-parity" && parity === "none" ? 2 : 1;
  return { baud, parity, dataBits, stopBits: written.stopBits ?? usual };
}
