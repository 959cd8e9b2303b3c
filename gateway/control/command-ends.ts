import type { CommandState, Evidence, RejectionCause } from "../../domain/command.ts";
import type { PointValue } from "../../domain/reading.ts";
import { Millis } from "../../domain/time.ts";
import type { StoreError } from "../store/store.ts";
import type { CommandTicket } from "./control.ts";
import type { FieldOperationResult } from "./field-operation.ts";

/** The end that the field's answer makes. */
export function endOf(result: FieldOperationResult): CommandState {
  if (result.outcome === "expired") return { name: "expired", where: "gateway", detail: result.detail };
  if (result.outcome === "rejected") return { name: "rejected", cause: result.cause, detail: result.detail };
  return { name: result.outcome, evidence: result.evidence };
}

/** Nobody can say any more whether it acted (I26). */
export function undecided(target: PointValue, detail: string): CommandState {
  return { name: "outcome-unknown", evidence: { ...NOTHING_SEEN, target, detail } };
}

/**
 * What may be told of an end that the ledger would not take: the next start would find the command executing and
 * settle it as unknown, and an end that was told must stay (I27). What was seen goes with it.
 */
export function notStored(end: CommandState, target: PointValue): CommandState {
  const seen: Evidence = "evidence" in end ? end.evidence : { ...NOTHING_SEEN, target };
  const told = "evidence" in end ? end.evidence.detail : "detail" in end ? end.detail : "";
  const detail = `it ended as ${end.name} (${told}), but the ledger could not be written: look at the device`;
  return { name: "outcome-unknown", evidence: { ...seen, detail } };
}

/** Nothing moved, because it came or got too late. */
export function expired(detail: string): CommandState {
  return { name: "expired", where: "gateway", detail };
}

export function rejected(cause: RejectionCause, detail: string): CommandState {
  return { name: "rejected", cause, detail };
}

/** No ledger, no movement (PROTOCOL §5). */
export function storeUnavailable(error: StoreError): CommandState {
  return { name: "rejected", cause: "store-unavailable", detail: error.message };
}

/** The ticket of a command that is over already. */
export function over(state: CommandState): CommandTicket {
  return { admitted: state, end: Promise.resolve(state) };
}

const NOTHING_SEEN: Evidence = { target: "", acknowledged: null, readBacks: [], took: Millis(0), detail: "" };
