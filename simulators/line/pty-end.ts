import { rmSync, symlinkSync } from "node:fs";
import type { LineEnd } from "./line-end.ts";
import { openPty, type Pty } from "./pty.ts";

/**
 * A serial port as a device file. With `link`, a name that stays the same when the adapter is pulled and plugged in again, as
 * /dev/serial/by-id does; without, the system's own, which changes then.
 */
export async function openPtyEnd(link: string | undefined): Promise<LineEnd> {
  const end = new PtyEnd(link);
  await end.plug();
  return end;
}

class PtyEnd implements LineEnd {
  readonly clients = undefined;
  readonly #link: string | undefined;
  #pty: Pty | undefined;
  #isOver = false;
  #listener: (bytes: Buffer) => void = () => {};

  constructor(link: string | undefined) {
    this.#link = link;
  }

  get reach(): { readonly path: string | null } {
    return { path: this.#link ?? this.#pty?.path ?? null };
  }

  write(bytes: Uint8Array): void {
    this.#pty?.write(bytes);
  }

  onBytes(listener: (bytes: Buffer) => void): void {
    this.#listener = listener;
  }

  async unplug(): Promise<void> {
    const pty = this.#pty;
    this.#pty = undefined;
    if (this.#link !== undefined) rmSync(this.#link, { force: true });
    await pty?.[Symbol.asyncDispose]();
  }

  async plug(): Promise<void> {
    if (this.#pty !== undefined || this.#isOver) return;
    const pty = await openPty();
    if (this.#isOver) {
      await pty[Symbol.asyncDispose]();
      return;
    }
    pty.onBytes((bytes) => this.#listener(bytes));
    this.#pty = pty;
    if (this.#link === undefined) return;
    rmSync(this.#link, { force: true });
    symlinkSync(pty.path, this.#link);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.unplug();
  }
}
