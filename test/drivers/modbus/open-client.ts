import type { Clock } from "../../../domain/time.ts";
import { Millis } from "../../../domain/time.ts";
import type { FrameSink } from "../../../drivers/driver.ts";
import { ModbusClient } from "../../../drivers/modbus/modbus-client.ts";
import { TcpPort } from "../../../drivers/modbus/tcp-port.ts";
import { CountingClock } from "../counting-clock.ts";
import { RawPeer } from "./raw-peer.ts";

export interface OpenClient extends AsyncDisposable {
  readonly peer: RawPeer;
  readonly port: TcpPort;
  readonly client: ModbusClient;
  readonly clock: CountingClock;
  /** Reads `count` holding registers from `first` of unit 1 as numbers. */
  readonly read: (first: number, count?: number, signal?: AbortSignal) => Promise<readonly number[]>;
}

/** A client on our port, joined to a raw peer. */
export async function openClient(
  options: { readonly requestTimeout?: number; readonly clock?: Clock; readonly frames?: FrameSink } = {},
  peer?: RawPeer,
): Promise<OpenClient> {
  const other = peer ?? (await RawPeer.open());
  const counting = new CountingClock();
  const port = new TcpPort({
    host: "127.0.0.1",
    port: other.port,
    connectTimeout: Millis(2_000),
    requestTimeout: Millis(options.requestTimeout ?? 2_000),
    clock: options.clock ?? counting,
    frames: options.frames ?? (() => {}),
  });
  const client = new ModbusClient(port);
  await client.open("open the raw peer");
  const never = new AbortController().signal;
  return {
    peer: other,
    port,
    client,
    clock: counting,
    read: (first, count = 1, signal = never) => {
      const request = { table: "holding", first, count, label: `read ${count} from ${first}` } as const;
      return client.read(1, request, wordsOf, signal);
    },
    async [Symbol.asyncDispose]() {
      port.destroy();
      await port.lost;
      await other[Symbol.asyncDispose]();
    },
  };
}

function wordsOf(data: Buffer): readonly number[] {
  return Array.from({ length: data.length / 2 }, (_, index) => data.readUInt16BE(2 * index));
}
