import type { CommandState, RejectionCause } from "../../domain/command.ts";
import type { CommandId, PointId } from "../../domain/ids.ts";
import type { PointValue } from "../../domain/reading.ts";
import type { Uptime } from "../../domain/time.ts";
import type { CommandFrame } from "../../domain/wire/downlink.ts";

/**
 * The only way to move equipment. Center, MQTT clients, CLI and (later) automation all come through here and get
 * the same admission, ledger, operation and end states (DESIGN §5, PROTOCOL §8).
 */
export interface Control {
  /** An order from the center, as it came; its signature, freshness and fence are judged here. */
  submitFromCenter(frame: CommandFrame): CommandTicket;
  /** An order given on this gateway: no signature, token or session; all else is the same. */
  submitLocal(request: LocalRequest): CommandTicket;
  /** Every state of every command, as it is reached. Returns the way to stop. */
  onState(listener: (commandId: CommandId, pointId: PointId, state: CommandState) => void): () => void;
}

export interface LocalRequest {
  /** Repeating one that is known gives its verdict again, never a second effect (I22). */
  readonly commandId: CommandId;
  /** As the client wrote it: a malformed one is rejected as `unknown-point`. */
  readonly pointId: string;
  readonly value: PointValue;
  /** Of an action, in the order of its definition; absent: none. */
  readonly args?: readonly PointValue[];
  /** `crew/root`, `mqtt/panel`: a principal of this gateway. */
  readonly issuedBy: string;
  /** On this machine's CLOCK_MONOTONIC: later than this nothing moves. */
  readonly deadline: Uptime;
  /** Whether a person who sees the device confirmed it: that is the selection of a hazardous order on site. */
  readonly confirmation: "person" | "none";
}

/** What became of a submitted order. */
export interface CommandTicket {
  /** The state right after admission: `executing`, or an end; `draft` while what was to be selected is looked at. */
  readonly admitted: CommandState;
  /** Resolves with the end; never rejects. */
  readonly end: Promise<CommandState>;
}

/** What `control` asks of the uplink: whether a token was minted here, by whom and when. Tokens live in RAM only. */
export interface TokenFreshness {
  /** Uptime at which the token was minted in the current sync session, or `undefined` if it is not known. */
  mintedAt(token: string, session: string): Uptime | undefined;
  /** The sync session that is current, if any. */
  currentSession(): string | undefined;
}

/** Refusals as values inside `control`. */
export interface Refusal {
  readonly cause: RejectionCause;
  readonly detail: string;
}
