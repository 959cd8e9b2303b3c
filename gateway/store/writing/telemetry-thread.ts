import { Worker } from "node:worker_threads";
import type { Incarnation } from "../incarnations.ts";
import { StoreError } from "../store.ts";
import type { WorkerAnswer, WorkerRequest } from "./telemetry-worker.ts";
import type { CommitGroup } from "./telemetry-writer.ts";

/**
 * What it handles lives for one commit of at most 200 ms of readings a store. V8's own choice, made for a program that
 * has the machine to itself, let eleven gateways in one process grow by half a gigabyte.
 */
const WORKER_MEMORY = { maxYoungGenerationSizeMb: 6, maxOldGenerationSizeMb: 256 };

interface Waiting {
  resolve(lastGroup: number): void;
  reject(error: unknown): void;
}

/**
 * The worker thread that writes telemetry.db: one a process, however many stores that has, for each thread is an
 * isolate of some 15 MB that loads the store's code anew. It starts with the first store and ends with the last. One that
 * died is replaced at the next `open` of each store.
 */
export class TelemetryThread {
  #worker: Worker | undefined;
  /** Requests not answered yet, oldest first: at most one commit and a few checkpoints a store. */
  #waiting: Waiting[] = [];
  readonly #open = new Set<string>();

  /** Opens the file anew, whatever state it was in. Resolves with the number of the last group in it. */
  open(path: string, incarnations: readonly Incarnation[]): Promise<number> {
    this.#worker ??= this.#start();
    this.#open.add(path);
    return this.#ask({ kind: "open", path, incarnations });
  }

  /** Resolves when the group is durable. @throws {StoreError} `not-durable`: its fate is unknown until `open` tells. */
  async commit(path: string, group: CommitGroup): Promise<void> {
    await this.#ask({ kind: "commit", path, group });
  }

  /** Brings another file's WAL home on a connection of the worker's own. */
  async checkpoint(path: string): Promise<void> {
    await this.#ask({ kind: "checkpoint", path });
  }

  /** Closes the file; the thread ends when it was the last. */
  async close(path: string): Promise<void> {
    if (!this.#open.has(path) || this.#worker === undefined) return;
    try {
      await this.#ask({ kind: "close", path });
    } finally {
      // Only now: while another store waits for its own answer, the thread may not end.
      this.#open.delete(path);
      const worker = this.#worker;
      if (this.#open.size === 0 && worker !== undefined) {
        this.#lose(worker, new Error("the last store was closed"));
        await worker.terminate();
      }
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
  const cause = Object.assign(new Error(answer.message), { code: answer.code });
  waiting?.reject(
    new StoreError("not-durable", `writing telemetry.db failed with ${answer.code || "an error"}`, { cause }),
  );
}
