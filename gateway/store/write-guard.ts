import { after, type Clock, Minutes, type Uptime } from "../../domain/time.ts";
import { rootCode, type StoreFile } from "./database.ts";
import type { Ballast } from "./space/ballast.ts";
import { StoreError } from "./store.ts";

/** PROTOCOL §5: a file whose disk fails again within this is not written any more. */
const AGAIN_WITHIN = Minutes(10);
/** Room in a file's own free pages with which it may be written while the disk's last room is for lane A. */
const OWN_ROOM_BYTES = 4 * 1024 ** 2;
/** What the disk says of itself. A full one is no broken one, and a refused constraint is our own affair. */
const DISK_CODES = /^SQLITE_(IOERR|CORRUPT|NOTADB|CANTOPEN|READONLY)/;

export interface WriteGuardParts {
  readonly clock: Pick<Clock, "uptime">;
  readonly ballast: Ballast;
  /** Told once for each file, while the other one may still be written. Must not throw. */
  readonly onReadOnly: (file: StoreFile, error: StoreError) => void;
  /** The ballast was given, and what needed it is durable. Must not throw. */
  readonly onRoomMade: () => void;
}

/** Knows whether the store's files may be written: how their disk failed, and who may have the last of its room. */
export class WriteGuard {
  readonly #parts: WriteGuardParts;
  readonly #failedAt = new Map<StoreFile, Uptime>();
  readonly #readOnly = new Map<StoreFile, StoreError>();
  readonly #noting = new Set<StoreFile>();

  constructor(parts: WriteGuardParts) {
    this.#parts = parts;
  }

  /** Why nobody may write to this file. */
  refusal(file: StoreFile): StoreError | undefined {
    return this.#readOnly.get(file);
  }

  /** Why no command may be carried out: neither may what is read back be lost, nor the evidence (PROTOCOL §5). */
  get refusalOfAny(): StoreError | undefined {
    return this.#readOnly.get("critical") ?? this.#readOnly.get("telemetry");
  }

  /** A write or an opening failed. */
  note(file: StoreFile, error: StoreError): void {
    const { clock, ballast, onReadOnly } = this.#parts;
    if (!DISK_CODES.test(rootCode(error)) || ballast.isDiskFull() || this.#noting.has(file)) return;
    const now = clock.uptime();
    const before = this.#failedAt.get(file);
    this.#failedAt.set(file, now);
    if (before === undefined || now > after(before, AGAIN_WITHIN) || this.#readOnly.has(file)) return;
    const refusal = new StoreError("read-only", `${file}.db is not written any more`, { cause: error });
    this.#noting.add(file);
    onReadOnly(file, refusal);
    this.#readOnly.set(file, refusal);
  }

  /** Gives the ballast to a write of lane A that failed with `error` for want of room. */
  makeRoom(error: unknown): boolean {
    const { ballast } = this.#parts;
    return (rootCode(error) === "SQLITE_FULL" || ballast.isDiskFull()) && ballast.release();
  }

  roomMade(): void {
    this.#parts.onRoomMade();
  }

  /** Whether lanes B to D may be written; `ownRoomBytes`: of free pages in their file. */
  mayGrow(ownRoomBytes: () => number): boolean {
    const { ballast } = this.#parts;
    return !ballast.released || ownRoomBytes() >= Math.min(OWN_ROOM_BYTES, ballast.bytes);
  }
}
