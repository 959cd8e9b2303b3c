import type { LoopService } from "../../domain/service.ts";
import type { Uptime } from "../../domain/time.ts";
import { unreachable } from "../../domain/unreachable.ts";
import { CODECS, type Codec } from "../../domain/wire/batch.ts";
import type { DownlinkMessage } from "../../domain/wire/downlink.ts";
import type { ReadFrame } from "../../domain/wire/fresh-read.ts";
import type { Welcome } from "../../domain/wire/hello.ts";
import type { Store } from "../store/store.ts";
import type { TransportError } from "./center-transport.ts";
import { heartbeatMessage } from "./heartbeat-message.ts";
import { LaneSchedule } from "./lane-schedule.ts";
import { asTransportError, LaneSender } from "./lane-sender.ts";
import { sayHello } from "./say-hello.ts";
import {
  nextTick,
  SESSION_START,
  type SessionEffect,
  type SessionInput,
  type SessionState,
  stepSession,
} from "./session-machine.ts";
import { tellSnapshot } from "./snapshot.ts";
import type { UplinkParts } from "./uplink-parts.ts";

/** What a link event can hold. */
const DETAIL_LENGTH_MAX = 1_000;

/** How the link stands, for `nerve status`. */
export interface LinkStatus {
  readonly phase: SessionState["phase"];
  readonly session: string | null;
  /** Since the link was last live or last broke. */
  readonly since: Uptime;
  readonly detail: string;
}

interface OpenSession {
  readonly abort: AbortController;
  readonly session: string;
  readonly codec: Codec;
  readonly sender: LaneSender;
}

/** Empties the store to the center when it can, and hands on what the center orders. */
export class Uplink implements LoopService {
  readonly name = "uplink";
  readonly #parts: UplinkParts;
  #state: SessionState = SESSION_START;
  #inputs: SessionInput[] = [];
  #hinted = false;
  #wake: () => void = () => undefined;
  #session: OpenSession | undefined;
  #status: { readonly since: Uptime; readonly detail: string };

  constructor(parts: UplinkParts) {
    this.#parts = parts;
    this.#status = { since: parts.clock.uptime(), detail: "not connected yet" };
  }

  status(): LinkStatus {
    return { phase: this.#state.phase, session: this.#session?.session ?? null, ...this.#status };
  }

  async run(signal: AbortSignal): Promise<void> {
    const { store } = this.#parts;
    // Called in the middle of a commit, before an order moves: only noted here.
    const hint = (): void => {
      this.#hinted = true;
      this.#wake();
    };
    const stopHints = [store.onEvidence(hint), store.onTelemetry(hint)];
    const onAbort = (): void => this.#wake();
    signal.addEventListener("abort", onAbort);
    try {
      while (!signal.aborted) {
        const inputs: readonly SessionInput[] = [...this.#inputs, { kind: "tick" }];
        this.#inputs = [];
        for (const input of inputs) this.#take(input, signal);
        this.#pump();
        if (this.#inputs.length === 0 && !this.#hinted && !signal.aborted) await this.#rest();
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
      for (const stop of stopHints) stop();
      this.#close();
    }
  }

  #take(input: SessionInput, signal: AbortSignal): void {
    const { clock, random, reconnect } = this.#parts;
    const step = stepSession(this.#state, input, { now: clock.uptime(), random, reconnect });
    this.#state = step.state;
    for (const effect of step.effects) this.#guard(() => this.#perform(effect, signal));
  }

  /** A store that fails ends the session, which is opened anew; it never ends the uplink. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#broken(asTransportError(error));
    }
  }

  /** Until something happens or the machine wants its tick. */
  async #rest(): Promise<void> {
    const { clock } = this.#parts;
    await new Promise<void>((resolve) => {
      const cancel = clock.schedule(nextTick(this.#state, clock.uptime()), resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }

  #post(input: SessionInput): void {
    this.#inputs.push(input);
    this.#wake();
  }

  /** What an earlier session still had on its way says nothing about this one. */
  #postIn(open: OpenSession, input: SessionInput): void {
    if (!open.abort.signal.aborted) this.#post(input);
  }

  #perform(effect: SessionEffect, signal: AbortSignal): void {
    switch (effect.kind) {
      case "hello":
        this.#attempt(() => this.#hello(signal));
        break;
      case "open":
        this.#open(effect.welcome);
        break;
      case "heartbeat":
        this.#attempt((open) => this.#heartbeat(open));
        break;
      case "tell-catalogue":
        this.#attempt((open) => this.#tellCatalogue(open));
        break;
      case "tell-snapshot":
        this.#attempt((open) => this.#tellSnapshot(open));
        break;
      case "go-live":
        // Lanes are pumped at the end of each turn of the loop.
        this.#session?.sender.goLive();
        break;
      case "link":
        this.#tellLink(effect);
        break;
      case "close":
        this.#parts.logger.warn({ detail: effect.detail }, "sync session ended");
        this.#note(effect.detail);
        this.#close();
        break;
      default:
        unreachable(effect);
    }
  }

  /** Runs in the background; what goes wrong ends the session it belonged to, and no other. */
  #attempt(work: (open: OpenSession | undefined) => Promise<void>): void {
    const open = this.#session;
    work(open).catch((error: unknown) => {
      if (this.#session === open) this.#broken(asTransportError(error));
    });
  }

  #broken(error: TransportError): void {
    this.#parts.logger.debug({ err: error }, "sync session broken");
    this.#post({ kind: "broken", code: error.code, detail: error.message });
  }

  /** The sender holds all lanes but A back until the snapshot is told. */
  #pump(): void {
    this.#hinted = false;
    const { phase } = this.#state;
    if (phase === "telling-snapshot" || phase === "live") this.#guard(() => this.#session?.sender.pump());
  }

  async #hello(signal: AbortSignal): Promise<void> {
    const { catalogue, timeQuality } = this.#parts;
    const context = { ...this.#parts, catalogueHash: catalogue.hash, timeQuality: timeQuality() };
    const { welcome, nonce } = await sayHello(context, signal);
    this.#parts.onWelcome(welcome, nonce);
    this.#post({ kind: "welcome", welcome, catalogueHash: catalogue.hash });
  }

  #open(welcome: Welcome): void {
    const { store, tokens, transport, clock } = this.#parts;
    const { session } = welcome;
    const abort = new AbortController();
    const { signal } = abort;
    tokens.open(session);
    store.sync.rememberSession(session);
    for (const { incarnation, lane, ranges } of welcome.cursors) {
      store.sync.acknowledge(incarnation as Store["incarnation"], lane, ranges, session);
    }
    // What is written from here on is live; the snapshot, read later, covers all before.
    const schedule = new LaneSchedule(store.incarnation, welcome, store.sync.heads());
    const onBroken = (error: TransportError): void => this.#broken(error);
    const codec = CODECS.find((each) => welcome.codecs.includes(each)) ?? "none";
    const sender = new LaneSender({ session, codec, schedule, store, transport, clock, onBroken, signal });
    this.#session = { abort, session, codec, sender };
    this.#note(`sync session ${session}`);
    this.#parts.logger.info({ session }, "sync session opened");
    this.#attempt((open) => this.#listen(open));
  }

  async #listen(open: OpenSession | undefined): Promise<void> {
    if (open === undefined) return;
    const { signal } = open.abort;
    await this.#parts.transport.listen(open.session, (message) => this.#heard(message, signal), signal);
    if (!signal.aborted)
      this.#post({ kind: "broken", code: "unreachable", detail: "the center ended the downlink" });
  }

  #heard(message: DownlinkMessage, signal: AbortSignal): void {
    if (signal.aborted) return;
    if (message.kind === "command") this.#parts.onCommand(message);
    if (message.kind === "read") this.#attempt((open) => this.#answerRead(open, message));
    if (message.kind === "closing") this.#post({ kind: "broken", code: "rehello", detail: message.reason });
    this.#post({ kind: "heard" });
  }

  /** What another session asked nobody waits for any more. */
  async #answerRead(open: OpenSession | undefined, frame: ReadFrame): Promise<void> {
    if (open === undefined || frame.session !== open.session) return;
    const { signal } = open.abort;
    const points = await this.#parts.onRead(frame, signal);
    const report = { session: open.session, readId: frame.readId, points: [...points] };
    if (!signal.aborted) await this.#parts.transport.tellRead(report, signal);
  }

  async #heartbeat(open: OpenSession | undefined): Promise<void> {
    if (open === undefined) return;
    const { transport, tokens, timeQuality } = this.#parts;
    const own = { session: open.session, token: tokens.mint(), timeQuality: timeQuality() };
    await transport.heartbeat(heartbeatMessage({ ...this.#parts, ...own }), open.abort.signal);
  }

  async #tellCatalogue(open: OpenSession | undefined): Promise<void> {
    if (open === undefined) return;
    const { hash, content } = this.#parts.catalogue;
    const told = { session: open.session, hash, catalogue: content() };
    await this.#parts.transport.tellCatalogue(told, open.abort.signal);
    this.#postIn(open, { kind: "catalogue-told" });
  }

  async #tellSnapshot(open: OpenSession | undefined): Promise<void> {
    if (open === undefined) return;
    const { session, codec, sender, abort } = open;
    const onRead = (): void => sender.snapshotRead();
    await tellSnapshot({ ...this.#parts, session, codec, onRead, signal: abort.signal });
    this.#postIn(open, { kind: "snapshot-told" });
  }

  #tellLink(effect: Extract<SessionEffect, { kind: "link" }>): void {
    this.#note(effect.detail);
    this.#parts.store.telemetry.appendEvent("B", {
      kind: "link",
      state: effect.state,
      detail: effect.detail.slice(0, DETAIL_LENGTH_MAX),
    });
  }

  #note(detail: string): void {
    this.#status = { since: this.#parts.clock.uptime(), detail };
  }

  #close(): void {
    this.#session?.abort.abort(new Error("sync session ended"));
    this.#session = undefined;
    this.#parts.tokens.close();
  }
}
