import type { Evidence } from "../../domain/command.ts";
import type { DeviceFault, FaultCode } from "../../domain/errors.ts";
import type { BusId, CommandId, DeviceId, PointId, PointNumber } from "../../domain/ids.ts";
import type { LineHealthFigures } from "../../domain/line/line-health.ts";
import type { PollClass, SitePoint } from "../../domain/point.ts";
import type { ProbeCheck, Quirk } from "../../domain/profile.ts";
import type { PointChange, PointValue } from "../../domain/reading.ts";
import type { ExpectedValue } from "../../domain/safety/interlock.ts";
import type { Instant, Millis, Uptime } from "../../domain/time.ts";
import type { Footprint } from "../../drivers/driver.ts";

/** Everything one field host needs; structured-cloneable, told to it once at its start. */
export interface FieldPlan {
  /** Isolation group, e.g. `lighting`: also the host's name in logs and figures. */
  readonly group: string;
  readonly buses: readonly FieldBusPlan[];
  /** Hexadecimal; there where a point of the group is pseudonymous. */
  readonly pseudonymKey?: string;
}

export interface FieldBusPlan {
  readonly id: BusId;
  /** Name in the driver registry. */
  readonly driver: string;
  /** What the driver's `parseBusConfig` made. */
  readonly config: unknown;
  readonly requestTimeout: Millis;
  readonly pollIntervals: Readonly<Record<PollClass, Millis>>;
  readonly units: readonly FieldUnitPlan[];
}

/** A point by its number: the field has no use for its id. */
export type FieldPoint = Pick<SitePoint, "number" | "definition">;

export interface FieldUnitPlan {
  readonly unitAddress: string;
  readonly quirks: readonly Quirk[];
  /** Points of all devices behind this unit address. */
  readonly points: readonly FieldPoint[];
  /** One for each poll class that the unit's points use. */
  readonly sweeps: readonly SweepPlan[];
  /** Changes with the profile of any of its devices: what was learnt of the unit before means nothing then. */
  readonly fingerprint: string;
  /** Places that answered "illegal address" in an earlier run, where that is known. */
  readonly holes?: readonly Footprint[];
  /** Of the devices whose profile says how to know them. */
  readonly probes: readonly DeviceProbe[];
}

/** How one device is known to be the one that its profile describes. */
export interface DeviceProbe {
  readonly device: DeviceId;
  /** All its points: none is told or written before the checks hold. */
  readonly points: readonly PointNumber[];
  readonly checks: readonly { readonly number: PointNumber; readonly check: ProbeCheck }[];
}

/**
 * A poll sweep: all points of one poll class on one unit. Values travel only when they change; that
 * unchanged ones are still true is told by the time each sweep was last complete.
 */
export interface SweepPlan {
  /** 1 …, unique on the gateway for one run; the CATALOGUE says which points it confirms. */
  readonly number: number;
  readonly pollClass: PollClass;
}

/** What the field tells the core. */
export type FieldReport =
  | { readonly kind: "changes"; readonly changes: readonly PointChange[] }
  /**
   * Sweeps that were complete since the last report; told at most once a second. `at`: every exchange of the sweep
   * was answered at this uptime or later, so an unchanged value is confirmed at least up to then.
   */
  | { readonly kind: "sweeps"; readonly sweeps: readonly (readonly [sweep: number, at: Uptime])[] }
  /** All places of a unit that are known to answer "illegal address", whenever that changed. */
  | { readonly kind: "holes"; readonly units: readonly UnitHoles[] }
  | { readonly kind: "figures"; readonly figures: readonly BusFigures[] };

/** What was learnt of one unit, to be handed to the host at its next start. */
export interface UnitHoles {
  readonly busId: BusId;
  readonly unitAddress: string;
  /** {@link FieldUnitPlan.fingerprint}. */
  readonly fingerprint: string;
  readonly holes: readonly Footprint[];
}

/** Takes a report; must not block. Bounded by the deadband and the poll intervals: the core never refuses one. */
export type FieldReportSink = (report: FieldReport) => void;

/** How a bus does; told every 5 s and shown by `nerve status`. */
export interface BusFigures {
  readonly busId: BusId;
  readonly state: "opening" | "open" | "lost";
  /** Share of the last window in which the line was busy: 0 … 1. */
  readonly occupancy: number;
  readonly exchangesPerSecond: number;
  /** Whole exchanges that failed, by fault code, since the host started. */
  readonly faults: Readonly<Record<string, number>>;
  /** `null`: the transport has no errors of its own to count. */
  readonly health: LineHealthFigures | null;
  readonly units: readonly UnitFigures[];
}

export interface UnitFigures {
  readonly unitAddress: string;
  readonly state: "answering" | "silent";
  /** Misses in a row. */
  readonly failures: number;
  /**
   * Asked interval and the one reached, by poll class: the median of the last 15, or the time since the last exchange
   * where that is more; `null` while silent and before the second exchange.
   */
  readonly intervals: readonly {
    readonly pollClass: PollClass;
    readonly askedMs: number;
    readonly reachedMs: number | null;
  }[];
  /** Share of the last window that the line was busy with this unit: 0 … 1. */
  readonly lineShare: number;
  /** Places that answered "illegal address", as `space:first-last`. */
  readonly holes: readonly string[];
  /** `null`: the unit tells nothing by itself. */
  readonly subscription: SubscriptionFigures | null;
  /** Answering, but by their probe not what their profiles say. */
  readonly wrongDevices: readonly WrongDevice[];
}

export interface SubscriptionFigures {
  readonly points: number;
  /** A fault code: it was given up, and is taken anew with back-off. */
  readonly state: "starting" | "live" | FaultCode;
}

export interface WrongDevice {
  readonly deviceId: DeviceId;
  /** What was found and what was expected, for people. */
  readonly why: string;
}

/**
 * One command's work on a bus: read the read-back points, write, settle, read back until they agree or the window
 * ends. Nothing comes between up to the first read-back; between later ones polls may use the line, never another
 * operation (docs/decisions/0006). Compiled by `control`; the field host repeats the deadline check as the last step before the write.
 */
export interface Operation {
  readonly commandId: CommandId;
  readonly busId: BusId;
  readonly unitAddress: string;
  readonly point: PointNumber;
  readonly value: PointValue;
  /** Of an action, in the order of its definition; empty otherwise. */
  readonly args: readonly PointValue[];
  /** Later than this nothing may be written: the operation ends as `expired`, untouched. On this machine's CLOCK_MONOTONIC. */
  readonly deadline: Uptime;
  /** Read with the read-back points and judged as the last step before the write; `null`: none. */
  readonly interlock: OperationInterlock | null;
  readonly readBack: OperationReadBack | null;
}

export interface OperationInterlock {
  /** As the profile names it, for people. */
  readonly name: string;
  /** All must hold; on the same unit as the write. */
  readonly conditions: readonly (ExpectedValue & {
    readonly number: PointNumber;
    readonly pointId: PointId;
    /** Read longer than this before the write, the condition is not known. */
    readonly maxAge: Millis;
  })[];
}

export interface OperationReadBack {
  /** What each point must show: what was commanded, an argument of the action, or what the profile says. */
  readonly expected: PointValue;
  /** All must agree; on the same unit as the write. */
  readonly points: readonly { readonly number: PointNumber; readonly pointId: PointId }[];
  /** Inclusive, in the point's unit. */
  readonly tolerance: number;
  /** From the end of the write. The first read-back is made even when the settle time is longer. */
  readonly within: Millis;
  /** Waited after the write before the first read. */
  readonly settle: Millis;
}

/**
 * How an operation ended: an expected end is a value, never an exception. `succeeded`: acknowledged, and every
 * read-back agrees. `failed`: nothing changed, because the device refused and the read-back proves it, or because the
 * unit was silent before the write and nothing was written. All else that may have written is `outcome-unknown`.
 */
export type OperationResult =
  | { readonly outcome: "succeeded" | "failed" | "outcome-unknown"; readonly evidence: Evidence }
  /** Nothing was written. */
  | { readonly outcome: "expired"; readonly detail: string }
  /** Nothing was written: no such bus or unit in any host, or the bus or its host is lost, its queue is full (64), or the interlock does not hold. */
  | {
      readonly outcome: "rejected";
      readonly cause: "blocked" | "busy" | "shutting-down" | "unknown-point";
      readonly detail: string;
    };

/** A fresh read on behalf of a person (K0): one sample a point. */
export interface FreshRead {
  readonly busId: BusId;
  readonly unitAddress: string;
  readonly points: readonly PointNumber[];
}
export type FreshReadResult =
  | { readonly outcome: "read"; readonly changes: readonly PointChange[] }
  | {
      readonly outcome: "fault";
      readonly code: DeviceFault["code"] | "busy" | "field-host-down";
      readonly detail: string;
    };

/** What the core can ask of the field, whether the host is a child process or in-process. */
export interface Field {
  runOperation(operation: Operation, signal: AbortSignal): Promise<OperationResult>;
  readNow(read: FreshRead, signal: AbortSignal): Promise<FreshReadResult>;
}

/** The raw frames of a bus, for crews: a host may offer it besides {@link Field}. */
export interface FieldFrames {
  /** The frames of the ring, oldest first, and keeps it filling for the next 60 s. Empty for the first call and an unknown bus. */
  readFrames(busId: BusId): Promise<readonly BusFrame[]>;
}

export interface BusFrame {
  readonly direction: "sent" | "received";
  readonly at: Instant;
  readonly bytes: Uint8Array;
}
