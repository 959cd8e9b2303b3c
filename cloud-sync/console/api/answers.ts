/** What the center answers, as far as the console reads it: `docs/console.md`. */

/** Every quality in the order of its code, as in the gateways' blocks. */
export const QUALITIES = [
  "good",
  "good/local-override",
  "uncertain/last-usable-value",
  "uncertain/engineering-units-exceeded",
  "bad/no-communication",
  "bad/device-failure",
  "bad/sensor-failure",
  "bad/out-of-service",
  "bad/configuration-error",
  "bad/waiting-for-initial-data",
] as const;
export type QualityName = (typeof QUALITIES)[number];
/** Codes from here on are bad: there is no value. */
export const BAD_FROM = 4;

export const END_STATES = [
  "succeeded",
  "failed",
  "rejected",
  "expired",
  "cancelled",
  "superseded",
  "outcome-unknown",
] as const;

export type PointValue = number | boolean | string;
export type LinkState = "up" | "degraded" | "down";
export type CommandClass = "K1" | "K2" | "K3";

export interface PlacesAnswer {
  readonly tag: string;
  readonly classes: readonly string[];
  readonly gateways: readonly string[];
  /** Names that `level` and `command` point at. */
  readonly points: readonly string[];
  readonly id: readonly string[];
  readonly name: readonly string[];
  readonly class: readonly number[];
  readonly gateway: readonly number[];
  /** Micro-degrees. */
  readonly lon: readonly (number | null)[];
  readonly lat: readonly (number | null)[];
  readonly parent: readonly number[];
  readonly members: readonly number[];
  readonly level: readonly number[];
  readonly command: readonly number[];
  readonly commandClass: readonly number[];
  readonly maxAgeMs: readonly number[];
  readonly sweep: readonly number[];
}

export interface LevelColumns {
  readonly level: readonly number[];
  readonly quality: readonly number[];
  readonly alarm: readonly number[];
  readonly at: readonly number[];
}
export interface GatewayLink {
  readonly id: string;
  readonly state: LinkState;
  /** When each sweep was last complete, ms by the center's clock. */
  readonly sweeps: readonly (readonly [number, number])[];
}
export interface LaneView {
  readonly lane: "A" | "B" | "C" | "D";
  readonly written: number;
  readonly held: number;
  readonly backlog: number;
  readonly lost: number;
  readonly gaps: number;
}
export interface GatewayView extends GatewayLink {
  readonly name: string;
  readonly software: string | null;
  readonly revoked: boolean;
  readonly enrolled: boolean;
  readonly sinceMs: number | null;
  readonly heardMs: number | null;
  readonly timeQuality: string | null;
  readonly quarantined: number;
  readonly lanes: readonly LaneView[];
}
export interface LevelsAnswer extends LevelColumns {
  readonly tag: string;
  readonly nowMs: number;
  readonly gateways: readonly GatewayView[];
}
export interface LevelsMessage extends LevelColumns {
  readonly tag: string;
  readonly nowMs: number;
  readonly place: readonly number[];
}

/** What an action is told when it is run. */
export interface ArgumentView {
  readonly name: string;
  readonly type: "number" | "boolean" | "text";
  readonly unit: string;
  readonly range?: { readonly min: number; readonly max: number };
  readonly oneOf?: readonly PointValue[];
}

export interface PointView {
  readonly name: string;
  readonly type: "number" | "boolean" | "text" | "action" | null;
  readonly unit: string | null;
  readonly access: "read" | "write" | "read-write" | null;
  readonly range: { readonly min: number; readonly max: number } | null;
  readonly commandClass: CommandClass | null;
  readonly pollClass: string | null;
  readonly maxAgeMs: number | null;
  readonly sweep: number | null;
  readonly readBack: string | null;
  /** Of an action; absent: its gateway did not tell. */
  readonly args?: readonly ArgumentView[];
  /** Of a text: the only values that it takes. */
  readonly oneOf?: readonly string[];
  /** What the read-back shows once it is done; absent: the value that was ordered. */
  readonly expects?: { readonly argument: string } | { readonly value: PointValue };
  /** How soon a person is needed while it is true; null: it tells of no trouble. */
  readonly alarm: "low" | "medium" | "high" | null;
  readonly state: {
    readonly value: PointValue | null;
    readonly quality: QualityName;
    readonly cause: string;
    readonly atMs: number;
    /** Somebody had it read on the bus; absent: told. */
    readonly source?: "read";
  } | null;
}
export interface DeviceView {
  readonly nowMs: number;
  readonly gateway: string;
  readonly id: string;
  readonly name: string;
  readonly class: string;
  readonly profileId: string;
  readonly parent: string | null;
  readonly members: readonly string[];
  readonly link: Omit<GatewayLink, "id">;
  readonly points: readonly PointView[];
}

export interface HistoryView {
  readonly from: number;
  readonly to: number;
  readonly buckets: number;
  readonly unit: string | null;
  readonly before: { readonly value: number | null; readonly quality: number } | null;
  readonly bucket: readonly number[];
  readonly min: readonly (number | null)[];
  readonly mean: readonly (number | null)[];
  readonly max: readonly (number | null)[];
  readonly last: readonly (number | null)[];
  readonly quality: readonly number[];
}

export interface ReadBackView {
  readonly pointId: string;
  readonly before: PointValue | null;
  readonly value: PointValue | null;
  readonly agrees: boolean;
  readonly fault?: string;
}
export interface CommandStateView {
  readonly name: string;
  readonly cause?: string;
  readonly detail?: string;
  /** Of a selected one: what the gateway read on the bus just then. */
  readonly preview?: readonly { readonly pointId: string; readonly value: PointValue }[];
  readonly evidence?: {
    readonly target: PointValue;
    readonly readBacks: readonly ReadBackView[];
    readonly took: number;
    readonly detail: string;
  };
}
export interface CommandView {
  readonly id: string;
  readonly gatewayId: string;
  readonly pointId: string;
  readonly value: PointValue;
  readonly args: readonly PointValue[];
  /** Names and units of `args`; empty where nobody tells them. */
  readonly argsTaken: readonly { readonly name: string; readonly unit: string }[];
  readonly commandClass: "K0" | CommandClass | null;
  readonly origin: "center" | "local";
  readonly issuedBy: string;
  readonly createdAtMs: number;
  readonly validUntilMs: number | null;
  readonly state: CommandStateView;
  readonly history: readonly { readonly state: string; readonly at: number }[];
  /** What a person found out about an unknown outcome; the outcome stays. */
  readonly resolution: ResolutionView | null;
}

export interface ResolutionView {
  readonly by: string;
  readonly atMs: number;
  readonly note: string;
  readonly evidence: {
    readonly outcome: "read" | "not-answered" | "offline" | "unsupported" | "busy";
    readonly points: readonly {
      readonly pointId: string;
      readonly value: PointValue | null;
      readonly quality: string;
      readonly source: "read" | "told";
      readonly ageMs: number | null;
    }[];
  } | null;
}

/** What devices showed when they were asked just now. */
export interface ReadView {
  readonly outcome: "read" | "not-answered";
  readonly tookMs: number;
  readonly points: readonly {
    readonly pointId: string;
    readonly read: {
      readonly value: PointValue | null;
      readonly quality: QualityName;
      readonly cause: string;
    } | null;
  }[];
}

export interface AlarmView {
  readonly number: number;
  readonly origin: "device" | "center";
  readonly gatewayId: string | null;
  readonly name: string;
  readonly severity: "low" | "medium" | "high";
  readonly subject: string;
  readonly detail: string;
  readonly raisedAtMs: number;
  readonly lastAtMs: number;
  readonly occurrences: number;
  readonly clearedAtMs: number | null;
  readonly acknowledged: { readonly by: string; readonly atMs: number; readonly note: string | null } | null;
  readonly shelved: { readonly by: string; readonly untilMs: number; readonly reason: string } | null;
}
export interface AlarmsAnswer {
  readonly alarms: readonly AlarmView[];
  readonly total: number;
}

export function isOver(command: CommandView): boolean {
  return END_STATES.some((name) => name === command.state.name);
}

/** How a hazardous point stands, to be seen before it is operated. */
export interface PreviewView {
  readonly points: readonly {
    readonly pointId: string;
    readonly role: "point" | "read-back" | "interlock";
    readonly value: PointValue | null;
    readonly unit: string | null;
    readonly quality: string;
    /** `read`: on the bus, for this. */
    readonly source: "told" | "read";
    readonly confirmedAgeMs: number | null;
  }[];
  /** Why it can not be confirmed now. */
  readonly problems: readonly string[];
  /** Goes back with the order; null while there are problems. */
  readonly preview: string | null;
}
