import type { Logger } from "pino";
import type { CommandState } from "../../domain/command.ts";
import type { BusId, CommandId, PointNumber } from "../../domain/ids.ts";
import type { RandomSource } from "../../domain/random.ts";
import type { PointChange, PointValue } from "../../domain/reading.ts";
import type { Clock, Uptime } from "../../domain/time.ts";
import type { PointIndex, Site } from "../site/site.ts";
import type { Store } from "../store/store.ts";
import type { BusAnswer } from "./client/answers.ts";

/** What the local API needs; `gateway.ts` joins it to the loops that have it. */
export interface LocalApiParts {
  readonly site: Site;
  readonly points: PointIndex;
  readonly store: Pick<
    Store,
    "incarnation" | "openedAt" | "health" | "findings" | "commands" | "desired" | "evidence"
  > & {
    readonly telemetry: Pick<Store["telemetry"], "latest" | "history">;
    readonly sync: Pick<Store["sync"], "backlog" | "disk">;
  };
  readonly orders: LocalOrders;
  readonly field: FreshReads;
  /** What each bus told last; one that told nothing yet is left out. */
  readonly figures: () => readonly BusFigures[];
  readonly fieldHosts: () => readonly FieldHostState[];
  /** `null`: this gateway has no center. */
  readonly link: (() => LinkState) | null;
  /** Where the broker really listens; `null`: it does not. */
  readonly broker: () => { readonly host: string; readonly port: number } | null;
  /** When the point's poll sweep was last complete; `undefined`: not yet, or it is not polled. */
  readonly confirmedAt: (point: PointNumber) => Uptime | undefined;
  readonly software: string;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly logger: Logger;
}

/** What is asked of `control`: admission, ledger, operation and end states are the same for everyone. */
export interface LocalOrders {
  submitLocal(order: {
    readonly commandId: CommandId;
    readonly pointId: string;
    readonly value: PointValue;
    readonly args?: readonly PointValue[];
    readonly issuedBy: string;
    readonly deadline: Uptime;
    /** Whether a person who sees the device confirmed it. */
    readonly confirmation: "person";
  }): { readonly admitted: CommandState; readonly end: Promise<CommandState> };
}

/** What is asked of the field: a read on the bus now (K0). */
export interface FreshReads {
  readNow(
    read: { readonly busId: BusId; readonly unitAddress: string; readonly points: readonly PointNumber[] },
    signal: AbortSignal,
  ): Promise<
    | { readonly outcome: "read"; readonly changes: readonly PointChange[] }
    | { readonly outcome: "fault"; readonly code: string; readonly detail: string }
  >;
}

/** As the field tells them. */
export interface BusFigures extends Pick<BusAnswer, "faults" | "health" | "units"> {
  readonly busId: BusId;
  readonly state: "opening" | "open" | "lost";
  readonly occupancy: number;
  readonly exchangesPerSecond: number;
}

export interface FieldHostState {
  /** Isolation group. */
  readonly group: string;
  readonly state: "running" | "down" | "in-process";
  /** `null` unless it runs as a process of its own. */
  readonly pid: number | null;
}

export interface LinkState {
  readonly phase: string;
  readonly session: string | null;
  readonly since: Uptime;
  readonly detail: string;
}
