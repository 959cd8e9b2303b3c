import { parentPort } from "node:worker_threads";
import { openForWriting, sqliteCode } from "./database.ts";
import type { Incarnation } from "./incarnations.ts";
import { type CommitGroup, TelemetryWriter } from "./telemetry-writer.ts";

/** What the core asks of the worker thread; each is answered once, in order. */
export type WorkerRequest =
  | { readonly kind: "open"; readonly path: string; readonly incarnations: readonly Incarnation[] }
  | { readonly kind: "commit"; readonly group: CommitGroup }
  | { readonly kind: "checkpoint"; readonly path: string }
  | { readonly kind: "close" };

export type WorkerAnswer =
  | { readonly outcome: "done"; readonly lastGroup: number }
  | { readonly outcome: "failed"; readonly code: string; readonly message: string };

let writer: TelemetryWriter | undefined;

parentPort?.on("message", (request: WorkerRequest) => {
  parentPort?.postMessage(answer(request));
  if (request.kind === "commit") tidyUp();
  if (request.kind === "close") parentPort?.close();
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
      writer?.abandon();
      writer = undefined;
      writer = new TelemetryWriter(request.path, request.incarnations);
      return writer.lastGroup();
    case "commit":
      if (writer === undefined) throw new Error("telemetry.db is not open");
      writer.commit(request.group);
      return request.group.number;
    case "checkpoint":
      checkpoint(request.path);
      return 0;
    case "close":
      writer?.close();
      writer = undefined;
      return 0;
    default:
      return request satisfies never;
  }
}

/** A failed checkpoint loses nothing: the WAL stays, and a disk that is broken shows at the next commit. */
function tidyUp(): void {
  try {
    writer?.tidyUp();
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
