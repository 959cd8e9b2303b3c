import { Worker } from "node:worker_threads";
import type { Incarnation } from "./incarnations.ts";
import { StoreError } from "./store.ts";
import type { WorkerAnswer, WorkerRequest } from "./telemetry-worker.ts";
import type { CommitGroup } from "./telemetry-writer.ts";

interface Waiting {
  resolve(lastGroup: number): void;
  reject(error: unknown): void;
}

/**
 * What it handles lives for one commit of at most 200 ms of readings. V8's own choice, made for a program that has the
 * machine to itself, let eleven gateways in one process grow by half a gigabyte.
 */
const WORKER_MEMORY = { maxYoungGenerationSizeMb: 6, maxOldGenerationSizeMb: 256 };

/** The core's end of the worker thread that writes telemetry.db. A worker that died is replaced at the next `open`. */
export class TelemetryLink {
  readonly #path: string;
  readonly #incarnations: readonly Incarnation[];
  /** Requests not answered yet, oldest first: at most one commit and a few checkpoints. */
  #waiting: Waiting[] = [];
  #worker: Worker | undefined;

  constructor(path: string, incarnations: readonly Incarnation[]) {
    this.#path = path;
    this.#incarnations = incarnations;
  }

  /** Opens the file anew, whatever state it was in. Resolves with the number of the last group in it. */
  open(): Promise<number> {
    this.#worker ??= this.#start();
    return this.#ask({ kind: "open", path: this.#path, incarnations: this.#incarnations });
  }

  /** Resolves when the group is durable. @throws {StoreError} `not-durable`: its fate is unknown until `open` tells. */
  async commit(group: CommitGroup): Promise<void> {
    await this.#ask({ kind: "commit", group });
  }

  /** Brings another file's WAL home on a connection of the worker's own. */
  async checkpoint(path: string): Promise<void> {
    await this.#ask({ kind: "checkpoint", path });
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    try {
      await this.#ask({ kind: "close" });
    } finally {
      await worker.terminate();
    }
  }

  #start(): Worker {
    const worker = new Worker(new URL("./telemetry-worker.ts", import.meta.url), {
      resourceLimits: WORKER_MEMORY,
    });
    worker.on("message", (answer: WorkerAnswer) => settle(this.#waiting.shift(), answer));
    worker.on("error", (cause) => this.#lose(worker, cause));
    worker.on("exit", (code) => this.#lose(worker, new Error(`worker thread ended with ${code}`)));
    return worker;
  }

  #lose(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    const error = new StoreError("not-durable", "the thread that writes telemetry.db ended", { cause });
    for (const each of waiting) each.reject(error);
  }

  #ask(request: WorkerRequest): Promise<number> {
    const worker = this.#worker;
    if (worker === undefined)
      return Promise.reject(new StoreError("not-durable", "telemetry.db is not open"));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      worker.postMessage(request);
    });
  }
}

function settle(waiting: Waiting | undefined, answer: WorkerAnswer): void {
  if (answer.outcome === "done") {
    waiting?.resolve(answer.lastGroup);
    return;
  }
  const cause = new Error(answer.message);
  waiting?.reject(
    new StoreError("not-durable", `writing telemetry.db failed with ${answer.code || "an error"}`, { cause }),
  );
}
