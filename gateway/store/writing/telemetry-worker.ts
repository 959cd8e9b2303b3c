import { parentPort } from "node:worker_threads";
import { openForWriting, sqliteCode } from "../database.ts";
import type { Incarnation } from "../incarnations.ts";
import { type CommitGroup, TelemetryWriter } from "./telemetry-writer.ts";

/** What the core asks of the worker thread for the file at `path`; each is answered once, in order. */
export type WorkerRequest =
  | { readonly kind: "open"; readonly path: string; readonly incarnations: readonly Incarnation[] }
  | { readonly kind: "commit"; readonly path: string; readonly group: CommitGroup }
  | { readonly kind: "checkpoint"; readonly path: string }
  | { readonly kind: "close"; readonly path: string };

export type WorkerAnswer =
  | { readonly outcome: "done"; readonly lastGroup: number }
  | { readonly outcome: "failed"; readonly code: string; readonly message: string };

/** One for each open telemetry.db of the process. */
const writers = new Map<string, TelemetryWriter>();

parentPort?.on("message", (request: WorkerRequest) => {
  parentPort?.postMessage(answer(request));
  if (request.kind === "commit") tidyUp(request.path);
});

function answer(request: WorkerRequest): WorkerAnswer {
  try {
    return { outcome: "done", lastGroup: perform(request) };
  } catch (error) {
    return {
      outcome: "failed",
      code: sqliteCode(error),
      message: error instanceof Error ? error.message : String(error),
    };
  }
}

function perform(request: WorkerRequest): number {
  switch (request.kind) {
    case "open":
      return open(request);
    case "commit":
      getWriter(request.path).commit(request.group);
      return request.group.number;
    case "checkpoint":
      checkpoint(request.path);
      return 0;
    case "close":
      close(request.path);
      return 0;
    default:
      return request satisfies never;
  }
}

function open({ path, incarnations }: Extract<WorkerRequest, { kind: "open" }>): number {
  writers.get(path)?.abandon();
  writers.delete(path);
  const writer = new TelemetryWriter(path, incarnations);
  writers.set(path, writer);
  return writer.lastGroup();
}

function getWriter(path: string): TelemetryWriter {
  const writer = writers.get(path);
  if (writer === undefined) throw new Error("telemetry.db is not open");
  return writer;
}

function close(path: string): void {
  const writer = writers.get(path);
  writers.delete(path);
  writer?.close();
}

/** A failed checkpoint loses nothing: the WAL stays, and a disk that is broken shows at the next commit. */
function tidyUp(path: string): void {
  try {
    writers.get(path)?.tidyUp();
  } catch (error) {
    if (sqliteCode(error) === "") throw error;
  }
}

function checkpoint(path: string): void {
  const database = openForWriting(path);
  try {
    database.pragma("wal_checkpoint(PASSIVE)");
  } finally {
    database.close();
  }
}
