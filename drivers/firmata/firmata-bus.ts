import { DeviceFault } from "../../domain/errors.ts";
import type { BusHealth } from "../../domain/line/line-health.ts";
import type { Bus, DriverContext, UnitSession } from "../driver.ts";
import type { ByteLine } from "../line/byte-line.ts";
import { openByteLine } from "../line/open-line.ts";
import { Board } from "./board.ts";
import type { FirmataAddress } from "./firmata-address.ts";
import type { FirmataBusConfig } from "./firmata-config.ts";
import { FirmataUnit } from "./firmata-unit.ts";

/** @throws {DeviceFault} `connection-lost`, or the signal's reason; nothing is left open then. */
export async function openBus(
  config: FirmataBusConfig,
  context: DriverContext,
  signal: AbortSignal,
): Promise<Bus<FirmataAddress>> {
  const line = await openByteLine(config.line, context, signal);
  const { clock, requestTimeout, frames } = context;
  const defect = Promise.withResolvers<Error>();
  // After what makes no sense the library's reader stands nowhere: the board is opened anew.
  const lost = Promise.race([
    line.lost,
    defect.promise.then((cause) => new DeviceFault("malformed-reply", `read ${line.label}`, { cause })),
  ]);
  try {
    const parts = { line, lost, config, frames, clock, requestTimeout };
    const board = await Board.open(parts, (cause) => defect.resolve(cause), signal);
    return new FirmataBus(line, board, lost);
  } catch (error) {
    await line[Symbol.asyncDispose]();
    throw error;
  }
}

class FirmataBus implements Bus<FirmataAddress> {
  readonly lost: Promise<unknown>;
  readonly #line: ByteLine;
  readonly #board: Board;

  constructor(line: ByteLine, board: Board, lost: Promise<unknown>) {
    this.#line = line;
    this.#board = board;
    this.lost = lost;
  }

  openSession(): UnitSession<FirmataAddress> {
    return new FirmataUnit(this.#board);
  }

  health(): BusHealth {
    return this.#board.health();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#board.close();
    await this.#line[Symbol.asyncDispose]();
  }
}
