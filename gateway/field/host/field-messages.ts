import type { BusId } from "../../../domain/ids.ts";
import type {
  BusFrame,
  FieldPlan,
  FieldReport,
  FreshRead,
  FreshReadResult,
  Operation,
  OperationResult,
} from "../field-plan.ts";

/** Joins an answer to what was asked; unique for one host process. */
export type Ticket = number;

/** From the core to a field host. `start` comes first and once. */
export type ToHost =
  | { readonly kind: "start"; readonly plan: FieldPlan }
  | { readonly kind: "operation"; readonly ticket: Ticket; readonly operation: Operation }
  | { readonly kind: "read"; readonly ticket: Ticket; readonly read: FreshRead }
  | { readonly kind: "frames"; readonly ticket: Ticket; readonly busId: BusId }
  /** Nobody waits for the answer any more. */
  | { readonly kind: "withdraw"; readonly ticket: Ticket }
  | { readonly kind: "stop" };

/** From a field host to the core. `heartbeat`: every second, from the event loop that does the work, with its resident memory. */
export type FromHost =
  | { readonly kind: "heartbeat"; readonly rssBytes: number }
  | { readonly kind: "report"; readonly report: FieldReport }
  | { readonly kind: "operation-end"; readonly ticket: Ticket; readonly result: OperationResult }
  | { readonly kind: "read-end"; readonly ticket: Ticket; readonly result: FreshReadResult }
  | { readonly kind: "frames-end"; readonly ticket: Ticket; readonly frames: readonly BusFrame[] };

const TO_HOST: readonly string[] = [
  "start",
  "operation",
  "read",
  "frames",
  "withdraw",
  "stop",
] satisfies ToHost["kind"][];
const FROM_HOST: readonly string[] = [
  "heartbeat",
  "report",
  "operation-end",
  "read-end",
  "frames-end",
] satisfies FromHost["kind"][];

/** Both ends are one version of this program, so the kind is all there is to check. @throws {RangeError} for another. */
export function readToHost(message: unknown): ToHost {
  return checkKind(message, TO_HOST) as ToHost;
}

/** @throws {RangeError} for a message that no field host sends. */
export function readFromHost(message: unknown): FromHost {
  return checkKind(message, FROM_HOST) as FromHost;
}

function checkKind(message: unknown, kinds: readonly string[]): object {
  if (typeof message === "object" && message !== null && "kind" in message) {
    if (typeof message.kind === "string" && kinds.includes(message.kind)) return message;
  }
  throw new RangeError("a message between core and field host is of no known kind");
}
