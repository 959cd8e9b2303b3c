/**
 * Everything that is counted on a line, in this order. `event` names it in metrics, `text` for people; `of` says whose doing it is: a
 * `line` error lowers the line's score, and a silent unit does not.
 */
export const LINE_COUNTS = {
  /** Requests that went out. */
  requests: { event: "request", text: "requests", of: "traffic" },
  /** Those that were answered rightly, refusals of the unit among them. */
  answers: { event: "answer", text: "answers", of: "traffic" },
  /** Answers by which a unit refused: a Modbus exception, an OSDP NAK, the refusing line of a text dialect. */
  refusals: { event: "refusal", text: "refusals", of: "unit" },
  /** Requests to a unit whose request before found no right answer. */
  retries: { event: "retry", text: "retries", of: "unit" },
  /** Requests without any answer in time. */
  silences: { event: "silence", text: "silences", of: "unit" },
  /** Answers whose checksum is wrong: noise, collisions, wrong parity or speed, missing termination. */
  crcErrors: { event: "crc-error", text: "CRC errors", of: "line" },
  /** Answers that ended before they were whole. */
  shortFrames: { event: "short-frame", text: "short frames", of: "line" },
  /** Answers that came after their time-out; they were thrown away. */
  lateReplies: { event: "late-reply", text: "late replies", of: "line" },
  /** Whole frames of somebody who was not asked: two units with one address, a second gateway on the line. */
  unexpectedSenders: { event: "unexpected-sender", text: "unexpected senders", of: "line" },
  /** Bytes that belong to no frame. */
  noiseBytes: { event: "noise-byte", text: "noise bytes", of: "noise" },
} as const satisfies Record<
  string,
  {
    readonly event: string;
    readonly text: string;
    readonly of: "traffic" | "unit" | "line" | "noise";
  }
>;

export type LineCount = keyof typeof LINE_COUNTS;
export const LINE_COUNT_NAMES = Object.keys(LINE_COUNTS) as readonly LineCount[];

/** What every driver that counts at all can count. */
type Always = "requests" | "answers" | "retries" | "silences";

/** Absent: the protocol has no means to see it, as Firmata has no checksum. Never 0 then, which would be praise. */
export type LineCounts = { readonly [Name in Always]: number } & {
  readonly [Name in Exclude<LineCount, Always>]?: number;
};

/** What a driver counted on one line since it opened it; every count only grows, and is 0 after the next opening. */
export type BusHealth = LineCounts & {
  /** What a person should do about the line, in whole sentences; mostly none. */
  readonly hints: readonly string[];
};

/** What was counted since the field host started, over all openings of the line, and what that means. */
export type LineHealthFigures = BusHealth & {
  /** Share of the requests of the last 5 minutes that met no line error: 0 … 100 %; `null` before the 10th. */
  readonly scorePercent: number | null;
};
