import { randomBytes } from "node:crypto";
import { DeviceFault } from "../../../domain/errors.ts";
import type { BusHealth } from "../../../domain/line/line-health.ts";
import type { Bus, DriverContext, UnitSession } from "../../driver.ts";
import type { ByteLine } from "../../line/byte-line.ts";
import { openByteLine } from "../../line/open-line.ts";
import type { SerialAddress } from "../serial-address.ts";
import type { OsdpBusConfig } from "./osdp-bus-config.ts";
import { OsdpConversation, type UnitKey } from "./osdp-conversation.ts";
import { PanelLine } from "./osdp-line.ts";
import { OsdpUnit } from "./osdp-unit.ts";
import { readUnitKeys } from "./unit-keys.ts";

/** @throws {DeviceFault} `connection-lost`, also where the key file can not be used: its cause says what to do. */
export async function openOsdpBus(
  config: OsdpBusConfig,
  context: DriverContext,
  signal: AbortSignal,
): Promise<Bus<SerialAddress>> {
  signal.throwIfAborted();
  const keys = config.security.mode === "off" ? null : await keysOf(config.security.keyFile);
  const bytes = await openByteLine(config.line, context, signal);
  return new OsdpBus(bytes, config, { keys, context });
}

async function keysOf(path: string): Promise<ReadonlyMap<number, Buffer>> {
  try {
    return await readUnitKeys(path);
  } catch (cause) {
    throw new DeviceFault("connection-lost", "open an OSDP line without its keys", { cause });
  }
}

class OsdpBus implements Bus<SerialAddress> {
  readonly lost: Promise<unknown>;
  readonly #bytes: ByteLine;
  readonly #line: PanelLine;
  readonly #config: OsdpBusConfig;
  readonly #keys: ReadonlyMap<number, Buffer> | null;
  readonly #context: DriverContext;

  constructor(
    bytes: ByteLine,
    config: OsdpBusConfig,
    { keys, context }: { readonly keys: ReadonlyMap<number, Buffer> | null; readonly context: DriverContext },
  ) {
    const { clock, frames } = context;
    this.lost = bytes.lost;
    this.#bytes = bytes;
    this.#line = new PanelLine({ bytes, clock, replyTimeout: config.replyTimeout, frames });
    this.#config = config;
    this.#keys = keys;
    this.#context = context;
  }

  openSession(unitAddress: string): UnitSession<SerialAddress> {
    const address = Number(unitAddress);
    const { clock, requestTimeout } = this.#context;
    const key = this.#keyOf(address);
    const conversation = new OsdpConversation({
      address,
      line: this.#line,
      key,
      random: randomBytes,
      clock,
      requestTimeout,
      quiet: this.#config.replyTimeout,
    });
    return new OsdpUnit(address, conversation, { clock, pollEvery: this.#config.pollEvery });
  }

  health(): BusHealth {
    return this.#line.health();
  }

  #keyOf(address: number): UnitKey | "missing" | "off" {
    if (this.#keys === null) return "off";
    const bytes = this.#keys.get(address);
    return bytes === undefined ? "missing" : { kind: "own", bytes };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#line.close();
    await this.#bytes[Symbol.asyncDispose]();
  }
}
