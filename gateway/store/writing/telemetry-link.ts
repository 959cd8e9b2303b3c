import type { Incarnation } from "../incarnations.ts";
import type { TelemetryThread } from "./telemetry-thread.ts";
import type { CommitGroup } from "./telemetry-writer.ts";

/** One store's end of the thread that writes telemetry.db. */
export class TelemetryLink {
  readonly #thread: TelemetryThread;
  readonly #path: string;
  readonly #incarnations: readonly Incarnation[];

  constructor(thread: TelemetryThread, path: string, incarnations: readonly Incarnation[]) {
    this.#thread = thread;
    this.#path = path;
    this.#incarnations = incarnations;
  }

  /** Opens the file anew, whatever state it was in. Resolves with the number of the last group in it. */
  open(): Promise<number> {
    return this.#thread.open(this.#path, this.#incarnations);
  }

  /** Resolves when the group is durable. @throws {StoreError} `not-durable`: its fate is unknown until `open` tells. */
  commit(group: CommitGroup): Promise<void> {
    return this.#thread.commit(this.#path, group);
  }

  /** Brings another file's WAL home on a connection of the worker's own. */
  checkpoint(path: string): Promise<void> {
    return this.#thread.checkpoint(path);
  }

  close(): Promise<void> {
    return this.#thread.close(this.#path);
  }
}
