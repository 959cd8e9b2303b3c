import { rmSync, statfsSync, statSync } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";

const FILE = "ballast";
export const BALLAST_BYTES_DEFAULT = 64 * 1024 ** 2;
/** Of the quota: a small store keeps a small one. */
export const BALLAST_SHARE_MAX = 1 / 16;
const PIECE_BYTES = 1024 ** 2;
/** Below this a disk counts as full: SQLite needs so much to open a file and its WAL. */
const FULL_BYTES = 1024 ** 2;

/**
 * A file that takes up room for nothing, so that there is some when the disk is full: then it is removed, and lane A goes
 * on (PROTOCOL §5). Made again when the disk has twice its size free.
 */
export class Ballast {
  readonly #folder: string;
  readonly #path: string;
  /** 0: none is kept. */
  readonly #bytes: number;
  #released: boolean;

  constructor(folder: string, bytes: number) {
    this.#folder = folder;
    this.#path = join(folder, FILE);
    this.#bytes = bytes;
    this.#released = bytes > 0 && !this.#isThere() && this.freeBytes() < bytes;
  }

  /** Whether its room is for lane A now. */
  get released(): boolean {
    return this.#released;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Of the disk, for who may write all the time; root's reserve does not count. */
  freeBytes(): number {
    try {
      const { bavail, bsize } = statfsSync(this.#folder);
      return bavail * bsize;
    } catch {
      // A disk that does not answer shows at the next write.
      return Number.POSITIVE_INFINITY;
    }
  }

  isDiskFull(): boolean {
    return this.freeBytes() < FULL_BYTES;
  }

  /** Whether there was one to give. */
  release(): boolean {
    if (this.#bytes === 0 || !this.#isThere()) return false;
    rmSync(this.#path, { force: true });
    this.#released = true;
    return true;
  }

  /** Makes it if it is missing, or of another size, and there is room. Without room nothing happens. */
  async keep(): Promise<void> {
    if (this.#bytes === 0) {
      await rm(this.#path, { force: true });
      return;
    }
    if (!this.#isThere()) {
      if (this.freeBytes() < 2 * this.#bytes || !(await this.#make())) return;
    }
    this.#released = false;
  }

  #isThere(): boolean {
    return statSync(this.#path, { throwIfNoEntry: false })?.size === this.#bytes;
  }

  /** Under another name until all of it is on the disk: half a ballast is none. */
  async #make(): Promise<boolean> {
    const unfinished = `${this.#path}.new`;
    try {
      await using file = await open(unfinished, "w", 0o600);
      await fill(file, this.#bytes);
      await file.sync();
    } catch {
      await rm(unfinished, { force: true });
      return false;
    }
    await rename(unfinished, this.#path);
    return true;
  }
}

/** With what neither a file system nor a flash controller folds away as it does zeros. */
async function fill(file: FileHandle, bytes: number): Promise<void> {
  const piece = Buffer.alloc(PIECE_BYTES);
  for (let at = 0; at < PIECE_BYTES; at += 4) piece.writeUInt32LE(Math.imul(at + 1, 0x9e3779b1) >>> 0, at);
  for (let at = 0; at < bytes; at += PIECE_BYTES) {
    piece.writeUInt32LE(at % 0xffff_ffff, 0);
    await file.write(piece, 0, Math.min(PIECE_BYTES, bytes - at));
  }
}
