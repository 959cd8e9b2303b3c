import { closeSync, readdirSync, readlinkSync } from "node:fs";
import type { ReadStream } from "node:tty";
import * as nodePty from "@lydell/node-pty";

/** One end of a pseudo terminal; the other end is a device file that any program opens like a serial port. */
export interface Pty extends AsyncDisposable {
  /** The device file, e.g. `/dev/pts/7`. */
  readonly path: string;
  write(bytes: Uint8Array): void;
  /** Called with what the other side wrote; the bytes are the listener's. One listener, the last. */
  onBytes(listener: (bytes: Buffer) => void): void;
}

/** The package's own fields: `master` and `slave` streams are declared by no type of it. */
interface OpenedPty {
  readonly _master: ReadStream;
  readonly _slave: ReadStream;
  readonly _pty: string;
}

/** @throws when the system has no pseudo terminal left. */
export async function openPty(): Promise<Pty> {
  const open: unknown = Reflect.get(nodePty, "open");
  if (typeof open !== "function") throw new Error("@lydell/node-pty has no open(): its version changed");
  const opened: OpenedPty = open({ encoding: null });
  const { _master: master, _slave: slave, _pty: path } = opened;
  // It would eat what comes from our side.
  slave.pause();
  const closed = new Promise((resolve) => slave.once("close", resolve));
  slave.destroy();
  await closed;
  return new NodePty(master, path, filesOpenAt(path));
}

class NodePty implements Pty {
  readonly path: string;
  readonly #master: ReadStream;
  /** Our own opening of the far end: while it is there, nothing happens to the line when a client closes its end. */
  readonly #holders: readonly number[];
  #listener: ((bytes: Buffer) => void) | undefined;

  constructor(master: ReadStream, path: string, holders: readonly number[]) {
    this.path = path;
    this.#master = master;
    this.#holders = holders;
    master.on("data", (bytes: Buffer) => this.#listener?.(bytes));
    // The far end hung up; `close` follows.
    master.on("error", () => master.destroy());
  }

  write(bytes: Uint8Array): void {
    if (!this.#master.destroyed) this.#master.write(bytes);
  }

  onBytes(listener: (bytes: Buffer) => void): void {
    this.#listener = listener;
  }

  /** The client sees its device vanish, as when a cable is pulled. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#master.closed) return;
    const closed = new Promise((resolve) => this.#master.once("close", resolve));
    if (!this.#master.destroyed) {
      this.#master.destroy();
      for (const file of this.#holders) closeSync(file);
    }
    await closed;
  }
}

/** File descriptors of this process that lead to `path`. */
function filesOpenAt(path: string): readonly number[] {
  return readdirSync("/proc/self/fd")
    .filter((file) => {
      try {
        return readlinkSync(`/proc/self/fd/${file}`) === path;
      } catch {
        return false;
      }
    })
    .map(Number);
}
