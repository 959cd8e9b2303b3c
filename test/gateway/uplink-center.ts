import { addRange, type RangeSet } from "../../domain/lane.ts";
import { seededRandom } from "../../domain/random.ts";
import type { Clock } from "../../domain/time.ts";
import {
  type BatchAnswer,
  decodeBatch,
  decodeSnapshotPart,
  type RangeOutcome,
} from "../../domain/wire/batch.ts";
import type { DownlinkMessage } from "../../domain/wire/downlink.ts";
import { decodeEntry } from "../../domain/wire/entry.ts";
import type { ReadReport } from "../../domain/wire/fresh-read.ts";
import type { Hello, Welcome } from "../../domain/wire/hello.ts";
import { decodePointsBlock } from "../../domain/wire/points-block.ts";
import { type CenterTransport, TransportError } from "../../gateway/uplink/center-transport.ts";

/** How often a batch does not come back: its records may be held all the same. */
export interface Weather {
  /** 0 … 1: lost before the center had it. */
  readonly lost: number;
  /** 0 … 1: stored, but the answer lost. */
  readonly unanswered: number;
}

/** A center in memory: what it durably holds outlives its sync sessions. */
export class MemoryCenter implements CenterTransport {
  /** What happened, in order, with the uptime: `HELLO 1.1`, `batch A live 3`. */
  readonly log: { readonly what: string; readonly at: number }[] = [];
  /** Records per rid prefix `<incarnation>/<lane>`; a rid told twice with other content is noted in `faults`. */
  readonly held = new Map<string, RangeSet>();
  readonly faults: string[] = [];
  readonly hellos: Hello[] = [];
  readonly reports: ReadReport[] = [];
  /** Records of batches by lane and whether they were told as live or as history, e.g. `B live`. */
  readonly records = new Map<string, number>();
  /** Points of each part of a snapshot, in its order. */
  readonly snapshots: (readonly number[])[] = [];
  tokens: readonly string[] = [];
  catalogueHash: string | null = null;
  /** Says nothing on the downlink, as behind a broken modem. */
  reachable: "yes" | "no" = "yes";
  /** What the next WELCOME says, but for the session. */
  welcome: Partial<Welcome> = {};
  weather: Weather = { lost: 0, unanswered: 0 };
  /** Answers batches; the default stores them. */
  answer: (outcomes: readonly RangeOutcome[]) => BatchAnswer = (outcomes) => ({ outcomes });
  readonly #clock: Clock;
  readonly #contents = new Map<string, string>();
  readonly #random = seededRandom(7);
  #sessions = 0;
  #downlink:
    | { readonly tell: (message: DownlinkMessage) => void; readonly end: (error?: Error) => void }
    | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get session(): string {
    return `1.${this.#sessions}`;
  }

  tell(message: DownlinkMessage): void {
    this.#downlink?.tell(message);
  }

  /** Ends the downlink as a center that goes away does. */
  hangUp(error?: Error): void {
    this.#downlink?.end(error);
  }

  async hello(message: Hello, signal: AbortSignal): Promise<Welcome> {
    await this.#way(signal);
    this.#sessions += 1;
    this.hellos.push(message);
    this.#note(`HELLO ${this.session}`);
    const cursors = [...this.held].map(([key, ranges]) => {
      const [incarnation, lane] = key.split("/");
      return { incarnation: incarnation ?? "", lane: lane as "A", ranges: [...ranges] };
    });
    return {
      session: this.session,
      cursors,
      credits: 12,
      centerTimeMs: this.#clock.now(),
      timeSignature: "",
      catalogueHash: this.catalogueHash,
      codecs: ["zstd"],
      ...this.welcome,
    };
  }

  async tellCatalogue(message: { session: string; hash: string }, signal: AbortSignal): Promise<void> {
    await this.#way(signal);
    this.#note("catalogue");
    this.catalogueHash = message.hash;
  }

  async tellSnapshot(part: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.#way(signal);
    const { header, block } = decodeSnapshotPart(part);
    const points = decodePointsBlock(block).readings.map(({ point }) => point);
    this.snapshots.push(points);
    this.#note(`snapshot ${header.part}/${header.parts} ${points.slice(0, 3).join(",")}`);
  }

  async sendBatch(batch: Uint8Array, signal: AbortSignal): Promise<BatchAnswer> {
    await this.#way(signal);
    if (this.#random.next() < this.weather.lost)
      throw new TransportError("unreachable", "lost on the way there");
    const { header, frames } = decodeBatch(batch);
    if (header.session !== this.session) return { refusal: "fence", detail: header.session };
    this.#note(`batch ${header.lane} ${header.history ? "history" : "live"}`);
    const outcomes = frames.map((frame) => this.#store(header.incarnation, frame));
    const kind = `${header.lane} ${header.history ? "history" : "live"}`;
    const count = header.ranges.reduce((sum, range) => sum + range.count, 0);
    this.records.set(kind, (this.records.get(kind) ?? 0) + count);
    if (this.#random.next() < this.weather.unanswered)
      throw new TransportError("unreachable", "lost on the way back");
    return this.answer(outcomes);
  }

  async heartbeat(message: { session: string; token: string }, signal: AbortSignal): Promise<void> {
    await this.#way(signal);
    if (message.session !== this.session) throw new TransportError("fence", message.session);
    this.tokens = [...this.tokens, message.token];
    this.#note("heartbeat");
  }

  async tellRead(report: ReadReport, signal: AbortSignal): Promise<void> {
    await this.#way(signal);
    this.reports.push(report);
  }

  async listen(
    _session: string,
    onMessage: (message: DownlinkMessage) => void,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#way(signal);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const beat = (): void => {
      if (this.reachable === "yes") onMessage({ kind: "heartbeat", centerTimeMs: this.#clock.now() });
    };
    const stop = new AbortController();
    const beats = (async () => {
      for (;;) {
        beat();
        await this.#clock.sleep(5_000 as never, stop.signal);
      }
    })().catch(() => undefined);
    this.#downlink = { tell: onMessage, end: (error) => (error === undefined ? resolve() : reject(error)) };
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
      stop.abort(new Error("over"));
      await beats;
    }
  }

  #store(incarnation: string, frame: Uint8Array): RangeOutcome {
    const { lane, range } = decodeEntry(frame);
    const key = `${incarnation}/${lane}`;
    const rid = `${key}/${range.first}`;
    const content = Buffer.from(frame).toString("base64");
    const before = this.#contents.get(rid);
    if (before !== undefined && before !== content) this.faults.push(`I3 ${rid} names two contents`);
    this.#contents.set(rid, content);
    this.held.set(key, addRange(this.held.get(key) ?? [], range));
    return { ...range, outcome: before === undefined ? "stored" : "duplicate" };
  }

  async #way(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.reachable === "no") throw new TransportError("unreachable", "no way to the center");
    await Promise.resolve();
    signal.throwIfAborted();
  }

  #note(what: string): void {
    this.log.push({ what, at: this.#clock.uptime() });
  }
}
