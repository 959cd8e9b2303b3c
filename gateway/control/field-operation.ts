import type { Evidence } from "../../domain/command.ts";
import type { BusId, CommandId, PointId, PointNumber } from "../../domain/ids.ts";
import type { PointValue } from "../../domain/reading.ts";
import type { Millis, Uptime } from "../../domain/time.ts";

/** What `control` asks of the field: declared here so that no loop imports its sibling; `gateway.ts` joins them. */
export interface OperationRunner {
  runOperation(operation: FieldOperation, signal: AbortSignal): Promise<FieldOperationResult>;
}

export interface FieldOperation {
  readonly commandId: CommandId;
  readonly busId: BusId;
  readonly unitAddress: string;
  readonly point: PointNumber;
  readonly value: PointValue;
  /** Later than this nothing may be written. */
  readonly deadline: Uptime;
  readonly readBack: {
    readonly points: readonly { readonly number: PointNumber; readonly pointId: PointId }[];
    readonly tolerance: number;
    readonly within: Millis;
    readonly settle: Millis;
  } | null;
}

export type FieldOperationResult =
  | { readonly outcome: "succeeded" | "failed" | "outcome-unknown"; readonly evidence: Evidence }
  | { readonly outcome: "expired"; readonly detail: string }
  | {
      readonly outcome: "rejected";
      readonly cause: "busy" | "shutting-down" | "unknown-point";
      readonly detail: string;
    };
