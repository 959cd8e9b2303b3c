import type { CommandState } from "../../domain/command.ts";
import type { CommandId, GatewayId, PointId } from "../../domain/ids.ts";
import type { ArgumentDefinition, CommandClass } from "../../domain/point.ts";
import type { PointValue } from "../../domain/reading.ts";
import type { Preview } from "../../domain/safety/preview.ts";
import type { Instant, Millis } from "../../domain/time.ts";

/** A command as the center keeps it. Change is a new value; the ledger writes it with its history. */
export interface CommandRecord {
  readonly id: CommandId;
  readonly gatewayId: GatewayId;
  readonly pointId: PointId;
  readonly value: PointValue;
  /** Of an action, in the order of its definition; empty for all else. */
  readonly args: readonly PointValue[];
  /** Null: the point is unknown here, so nobody knows what it may endanger. */
  readonly commandClass: CommandClass | null;
  readonly origin: "center" | "local";
  /** `operator/anna`, or whoever the gateway's evidence names. */
  readonly issuedBy: string;
  readonly createdAt: Instant;
  /** Counts from the authorisation; null: given at the gateway, which keeps its own deadline. */
  readonly ttl: Millis | null;
  /** Of the center that took it; `cseq` is this with `sequence`. */
  readonly generation: number;
  /** Null until authorized. */
  readonly sequence: number | null;
  readonly authorizedAt: Instant | null;
  /** When and how it left first: a hazardous one to select. */
  readonly sent: SentOrder | null;
  /** What the person saw who confirmed a hazardous order; null: not hazardous, or not confirmed. */
  readonly confirmed: Preview | null;
  /** When OPERATE left; never undone, never twice. Null: a hazardous order can have moved nothing. */
  readonly operatedAt: Instant | null;
  readonly state: CommandState;
  readonly changedAt: Instant;
  readonly resolution: Resolution | null;
}

/** When and how the order left; never undone, never twice. */
export interface SentOrder {
  readonly at: Instant;
  readonly session: string;
  readonly budget: Millis;
}

/** What a person found out about an unknown outcome: an annotation, no state (I27). */
export interface Resolution {
  readonly at: Instant;
  readonly by: string;
  readonly note: string;
  /** Null: resolved before evidence was kept. */
  readonly evidence: ResolutionEvidence | null;
}

/** How the command's point and what proves it stood when the outcome was resolved. */
export interface ResolutionEvidence {
  /** `read`: on the bus, for this; all else: why not, and the points stand as they were told last. */
  readonly outcome: "read" | "not-answered" | "offline" | "unsupported" | "busy";
  readonly points: readonly {
    readonly pointId: string;
    /** Null: not known. */
    readonly value: PointValue | null;
    readonly quality: string;
    readonly source: "read" | "told";
    /** Null: can not be told. */
    readonly ageMs: number | null;
  }[];
}

/** One state a command was in. */
export interface CommandStep {
  readonly state: CommandState;
  readonly at: Instant;
  /** Of the evidence that moved it; null: the center moved it. */
  readonly recordId: string | null;
}

/** What dispatch must know of a point that is to be commanded. */
export interface CommandablePoint {
  readonly type: "number" | "boolean" | "text" | "action";
  readonly unit: string;
  readonly access: "read" | "write" | "read-write";
  readonly range: { readonly min: number; readonly max: number } | null;
  readonly commandClass: Exclude<CommandClass, "K0"> | null;
  /** Of an action; absent: its gateway did not tell, and judges alone. */
  readonly args?: readonly ArgumentDefinition[];
  /** Of a text: the only values that it takes. */
  readonly oneOf?: readonly string[];
}
