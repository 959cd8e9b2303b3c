import type { CommandState } from "../../../domain/command.ts";
import type { Lane } from "../../../domain/lane.ts";
import type { LineHealthFigures } from "../../../domain/line/line-health.ts";
import type { CommandClass, PollClass } from "../../../domain/point.ts";
import type { Quality, QualityCause } from "../../../domain/quality.ts";
import type { PointValue } from "../../../domain/reading.ts";

/** Version of what follows, told in the header `nerve-api` and as `/v1` in each path. */
export const API_VERSION = "1";

/** Every answer with a status of 400 or more. */
export interface ErrorAnswer {
  readonly error: {
    /** A key of `LOCAL_API_FAULTS`. */
    readonly code: string;
    /** What was tried, and what to do. */
    readonly message: string;
    /** JSON pointer into the body, or `/<name>` of a parameter. */
    readonly pointer?: string;
  };
}

/** `GET /v1/status`. */
export interface StatusAnswer {
  readonly gatewayId: string;
  readonly site: { readonly id: string; readonly name: string };
  readonly software: string;
  readonly incarnation: string;
  readonly pid: number;
  /** Since the store was opened. */
  readonly uptimeMs: number;
  /** URL in the site file; `null`: the gateway works alone. */
  readonly center: string | null;
  readonly link: LinkAnswer | null;
  readonly broker: { readonly host: string; readonly port: number } | null;
  readonly devices: number;
  readonly points: PointCounts;
  readonly buses: readonly BusAnswer[];
  readonly fieldHosts: readonly FieldHostAnswer[];
  readonly store: StoreAnswer;
  readonly memory: { readonly rssBytes: number; readonly heapUsedBytes: number };
}

/** Readable points by the quality of their latest reading; one that was never read counts as bad. */
export interface PointCounts {
  readonly total: number;
  readonly good: number;
  readonly uncertain: number;
  readonly bad: number;
}

/** `null` in the status: the gateway has no center. */
export interface LinkAnswer {
  readonly phase: string;
  readonly session: string | null;
  readonly sinceMs: number;
  readonly detail: string;
}

export interface BusAnswer {
  readonly id: string;
  readonly driver: string;
  readonly fieldHost: string;
  /** `host-down`: the figures are those of before; `unknown`: the field host has told none yet. */
  readonly state: "opening" | "open" | "lost" | "host-down" | "unknown";
  /** Share of the last window in which the line was busy: 0 … 1. */
  readonly occupancy: number | null;
  readonly exchangesPerSecond: number | null;
  readonly faults: Readonly<Record<string, number>>;
  /** `null`: the transport has no errors of its own to count. */
  readonly health: LineHealthFigures | null;
  readonly units: readonly UnitAnswer[];
}

export interface UnitAnswer {
  readonly unitAddress: string;
  readonly state: "answering" | "silent";
  /** Misses in a row. */
  readonly failures: number;
  readonly intervals: readonly {
    readonly pollClass: PollClass;
    readonly askedMs: number;
    readonly reachedMs: number | null;
  }[];
  /** Share of the last window that the line was busy with this unit: 0 … 1. */
  readonly lineShare: number;
  /** Places that answered "illegal address": `holding:20-21`. */
  readonly holes: readonly string[];
  /** What the unit tells by itself; `null`: nothing. `state`: `starting`, `live`, or the fault that ended it. */
  readonly subscription: { readonly points: number; readonly state: string } | null;
  /** Devices that answer, but are not what their profiles say. */
  readonly wrongDevices: readonly { readonly deviceId: string; readonly why: string }[];
}

export interface FieldHostAnswer {
  readonly group: string;
  readonly state: "running" | "down" | "in-process";
  readonly pid: number | null;
}

export interface StoreAnswer {
  readonly state: "ok" | "warn" | "critical";
  readonly usedBytes: number;
  readonly quotaBytes: number;
  /** What gives way for want of space, docs/architecture.md: `none warn drop thin thin-live least`. */
  readonly pressure: string;
  /** `failing`: the last write failed; `read-only`: nothing is written any more. Commands are refused either way. */
  readonly access: "read-write" | "failing" | "read-only";
  /** What failed, and what to do. */
  readonly fault: string | null;
  /** The disk was full, and the room kept back was given to evidence. */
  readonly ballastReleased: boolean;
  /** Readings given up since the store is read-only. */
  readonly unstored: number;
  /** Records still to be told to the center. */
  readonly backlog: Readonly<Record<Lane, number>>;
  /** What the last opening found broken; `setAsideAs` null: the file stays in use. */
  readonly findings: readonly {
    readonly file: string;
    readonly setAsideAs: string | null;
    readonly reason: string;
  }[];
}

/** `GET /v1/devices`. */
export interface DevicesAnswer {
  readonly devices: readonly DeviceSummary[];
}
export interface DeviceSummary {
  readonly id: string;
  readonly name: string;
  readonly class: string;
  readonly service: string;
  readonly profileId: string;
  readonly busId: string;
  readonly unitAddress: string;
  readonly parent: string | null;
  readonly members: readonly string[];
  readonly points: number;
  /** Worst of its readable points; `null`: it has none. */
  readonly worstQuality: Quality | null;
}

/** `GET /v1/devices/:device`. */
export interface DeviceAnswer extends Omit<DeviceSummary, "points"> {
  readonly points: readonly PointAnswer[];
}

/** `GET /v1/points/:device/:point`: what the point was last known to be, and what it should be. */
export interface PointAnswer {
  readonly pointId: string;
  readonly name: string;
  readonly type: "number" | "boolean" | "text" | "action";
  readonly unit: string;
  readonly access: "read" | "write" | "read-write";
  readonly range: { readonly min: number; readonly max: number } | null;
  /** What an action takes, in order; empty for all else. */
  readonly args: readonly ArgumentAnswer[];
  /** Of a text that is written: the only values that are taken; `null`: any. */
  readonly oneOf: readonly string[] | null;
  readonly commandClass: CommandClass | null;
  /** `null` exactly when the quality is bad. */
  readonly value: PointValue | null;
  readonly quality: Quality;
  readonly cause: QualityCause;
  /** Since its poll sweep or its own reading last confirmed it, whichever is newer; `null`: not known. */
  readonly ageMs: number | null;
  readonly maxAgeMs: number;
  /** Older than `maxAgeMs`: to be shown as old. */
  readonly isOld: boolean;
  /** ISO 8601; `null`: never read. */
  readonly gatewayTimestamp: string | null;
  readonly desired: DesiredAnswer | null;
}

export interface ArgumentAnswer {
  readonly name: string;
  readonly type: "number" | "boolean" | "text";
  readonly unit: string;
  readonly range?: { readonly min: number; readonly max: number };
  readonly oneOf?: readonly PointValue[];
}

export interface DesiredAnswer {
  readonly value: PointValue;
  readonly issuedBy: string;
  readonly commandId: string;
  /** ISO 8601. */
  readonly at: string;
}

/** `POST /v1/read`. A device that does not answer is an expected end, not an error. */
export type ReadAnswer =
  | {
      readonly outcome: "read";
      readonly deviceId: string;
      readonly tookMs: number;
      readonly points: readonly PointAnswer[];
    }
  | {
      readonly outcome: "fault";
      readonly deviceId: string;
      readonly tookMs: number;
      readonly code: string;
      readonly detail: string;
    };

/** `GET /v1/commands/:id` and `POST /v1/commands`. */
export interface CommandAnswer {
  readonly id: string;
  readonly pointId: string;
  readonly value: PointValue;
  /** `null`: the site no longer has the point. */
  readonly unit: string | null;
  /** What an action is run with, in order; empty for all else. `name`: its number from 1 where the site has it no more. */
  readonly args: readonly {
    readonly name: string;
    readonly value: PointValue;
    readonly unit: string | null;
  }[];
  readonly commandClass: CommandClass;
  readonly origin: "center" | "local";
  readonly issuedBy: string;
  readonly session: string | null;
  /** ISO 8601. */
  readonly at: string;
  /** ISO 8601; `null`: not over yet. */
  readonly settledAt: string | null;
  readonly state: CommandState;
}
/** `GET /v1/commands`: newest first. */
export interface CommandsAnswer {
  readonly commands: readonly CommandAnswer[];
}

/** `GET /v1/history/:device/:point`: newest last. */
export interface HistoryAnswer {
  readonly pointId: string;
  readonly unit: string;
  readonly readings: readonly {
    readonly value: PointValue | null;
    readonly quality: Quality;
    readonly cause: QualityCause;
    readonly gatewayTimestamp: string;
    readonly sourceTimestamp: string | null;
  }[];
}

/** `GET /v1/buses`. */
export interface BusesAnswer {
  readonly buses: readonly BusAnswer[];
}
