import type { BusHealth } from "../../../domain/line/line-health.ts";
import type { Bus, DriverContext, UnitSession } from "../../driver.ts";
import type { ByteLine } from "../../line/byte-line.ts";
import { openByteLine } from "../../line/open-line.ts";
import type { SerialAddress } from "../serial-address.ts";
import type { AsciiBusConfig } from "./ascii-bus-config.ts";
import { AsciiLine } from "./ascii-line.ts";
import { AsciiUnit } from "./ascii-unit.ts";

/** @throws {DeviceFault} `connection-lost`, or the signal's reason. */
export async function openAsciiBus(
  config: AsciiBusConfig,
  context: DriverContext,
  signal: AbortSignal,
): Promise<Bus<SerialAddress>> {
  const bytes = await openByteLine(config.line, context, signal);
  const { clock, requestTimeout, frames } = context;
  return new AsciiBus(bytes, new AsciiLine({ bytes, clock, requestTimeout, rest: config.rest, frames }));
}

class AsciiBus implements Bus<SerialAddress> {
  readonly lost: Promise<unknown>;
  readonly #bytes: ByteLine;
  readonly #line: AsciiLine;

  constructor(bytes: ByteLine, line: AsciiLine) {
    this.lost = bytes.lost;
    this.#bytes = bytes;
    this.#line = line;
  }

  openSession(unitAddress: string): UnitSession<SerialAddress> {
    return new AsciiUnit(Number(unitAddress), this.#line);
  }

  health(): BusHealth {
    return this.#line.health();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#line.close();
    await this.#bytes[Symbol.asyncDispose]();
  }
}
