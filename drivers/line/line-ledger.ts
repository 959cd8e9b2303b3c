import type { BusHealth, LineCount } from "../../domain/line/line-health.ts";

const HINT_ECHO =
  "The adapter repeats what it sends. The repetition is removed here, but doubles the reading: switch the adapter's local echo off.";
const HINT_SENDER =
  "Frames came from units that were not asked: look for two units with one address, or a second gateway on this line.";
const HINT_CRC =
  "More than 1 in 100 answers is damaged: check termination (120 ohm at both ends), shield, and that speed and parity are the units' own.";
const CRC_SHARE_MAX = 0.01;
const REQUESTS_MIN = 100;
const ALWAYS = ["requests", "answers", "retries", "silences"] as const;

/** What a protocol may see beside requests and silences. */
export type SeenCount = Exclude<LineCount, (typeof ALWAYS)[number]>;

/** Counts what happens on one open line. Units are few: a bus has 247 at most. */
export class LineLedger {
  readonly #counts: Partial<Record<LineCount, number>>;
  readonly #failed = new Set<number>();
  #echoes = 0;

  /** @param seen what the protocol can see; the rest is told as absent. */
  constructor(seen: readonly SeenCount[]) {
    this.#counts = Object.fromEntries([...ALWAYS, ...seen].map((count) => [count, 0]));
  }

  asked(unit: number): void {
    this.#add("requests");
    if (this.#failed.has(unit)) this.#add("retries");
  }

  answered(unit: number, how: "rightly" | "by-refusal"): void {
    this.#add("answers");
    if (how === "by-refusal") this.#add("refusals");
    this.#failed.delete(unit);
  }

  /** The request found no right answer: none at all, or one that is counted as what it was. */
  failed(unit: number, how: "silent" | "broken"): void {
    if (how === "silent") this.#add("silences");
    this.#failed.add(unit);
  }

  count(what: SeenCount, by = 1): void {
    this.#add(what, by);
  }

  /** The adapter handed back what was sent. */
  echoed(): void {
    this.#echoes += 1;
  }

  health(): BusHealth {
    const { requests = 0, answers = 0, retries = 0, silences = 0, ...seen } = this.#counts;
    const { crcErrors = 0, unexpectedSenders = 0 } = seen;
    const hints: string[] = [];
    if (this.#echoes > 0) hints.push(HINT_ECHO);
    if (unexpectedSenders > 0) hints.push(HINT_SENDER);
    if (requests >= REQUESTS_MIN && crcErrors > requests * CRC_SHARE_MAX) hints.push(HINT_CRC);
    return { requests, answers, retries, silences, ...seen, hints };
  }

  #add(count: LineCount, by = 1): void {
    this.#counts[count] = (this.#counts[count] ?? 0) + by;
  }
}
