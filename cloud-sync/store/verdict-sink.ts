import type { CommandState } from "../../domain/command.ts";
import type { GatewayId } from "../../domain/ids.ts";
import type { CommandClass } from "../../domain/point.ts";
import type { PointValue } from "../../domain/reading.ts";
import type { Transaction } from "./database.ts";

/** One piece of lane A evidence of a command, told for the first time. */
export interface CommandEvidence {
  readonly gatewayId: GatewayId;
  readonly commandId: string;
  readonly pointId: string;
  readonly value: PointValue;
  /** Of an action; absent: none, or the gateway is older than this member. */
  readonly args?: readonly PointValue[];
  readonly commandClass: CommandClass;
  /** `local`: the center never sent it; it knows of it only by this. */
  readonly origin: "center" | "local";
  readonly issuedBy: string;
  /** Sync session in which the gateway judged it; null for a local one. */
  readonly session: string | null;
  readonly state: CommandState;
  /** The gateway's clock, ms since 1970; may be wrong. */
  readonly tWall: number;
  /** Its record id, `gatewayId/incarnation/A/sequence`. */
  readonly recordId: string;
}

/**
 * Takes the gateways' verdicts inside the transaction that stores them, so that a command's row moves with the
 * record that proves it, or not at all (I4, C8).
 */
export interface VerdictSink {
  /**
   * Called once for each record, in order of sequence. Must not throw for what the evidence says (unknown commands
   * included): a throw undoes the whole batch, which then comes again for ever.
   */
  take(tx: Transaction, evidence: readonly CommandEvidence[]): Promise<void>;
}
