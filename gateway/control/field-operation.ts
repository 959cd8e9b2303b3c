import type { Evidence } from "../../domain/command.ts";
import type { BusId, CommandId, PointId, PointNumber } from "../../domain/ids.ts";
import type { PointChange, PointValue } from "../../domain/reading.ts";
import type { ExpectedValue } from "../../domain/safety/interlock.ts";
import type { Millis, Uptime } from "../../domain/time.ts";

/** What `control` asks of the field: declared here so that no loop imports its sibling; `gateway.ts` joins them. */
export interface OperationRunner {
  runOperation(operation: FieldOperation, signal: AbortSignal): Promise<FieldOperationResult>;
  /** Reads on the bus, now: what a selection shows (K0). */
  readNow(read: FieldRead, signal: AbortSignal): Promise<FieldReadResult>;
}

export interface FieldRead {
  readonly busId: BusId;
  readonly unitAddress: string;
  readonly points: readonly PointNumber[];
}

export type FieldReadResult =
  | { readonly outcome: "read"; readonly changes: readonly PointChange[] }
  | { readonly outcome: "fault"; readonly code: string; readonly detail: string };

export interface FieldOperation {
  readonly commandId: CommandId;
  readonly busId: BusId;
  readonly unitAddress: string;
  readonly point: PointNumber;
  readonly value: PointValue;
  /** Of an action, in the order of its definition; empty otherwise. */
  readonly args: readonly PointValue[];
  /** Later than this nothing may be written. */
  readonly deadline: Uptime;
  /** Must hold just before the write; read in the same operation. `null`: the profile names none for this value. */
  readonly interlock: FieldInterlock | null;
  readonly readBack: {
    readonly points: readonly { readonly number: PointNumber; readonly pointId: PointId }[];
    /** What each must show. */
    readonly expected: PointValue;
    readonly tolerance: number;
    readonly within: Millis;
    readonly settle: Millis;
  } | null;
}

export interface FieldInterlock {
  /** As the profile names it, for people. */
  readonly name: string;
  readonly conditions: readonly (ExpectedValue & {
    readonly number: PointNumber;
    readonly pointId: PointId;
    /** Older than this at the write, the condition is not known. */
    readonly maxAge: Millis;
  })[];
}

export type FieldOperationResult =
  | { readonly outcome: "succeeded" | "failed" | "outcome-unknown"; readonly evidence: Evidence }
  | { readonly outcome: "expired"; readonly detail: string }
  | {
      readonly outcome: "rejected";
      readonly cause: "blocked" | "busy" | "shutting-down" | "unknown-point";
      readonly detail: string;
    };
