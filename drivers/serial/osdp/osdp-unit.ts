import assert from "node:assert/strict";
import { DeviceFault } from "../../../domain/errors.ts";
import type { PointDefinition } from "../../../domain/point.ts";
import type { PointValue } from "../../../domain/reading.ts";
import { type Clock, type Millis, Seconds, since, type Uptime } from "../../../domain/time.ts";
import type { Exchange, KeepAlive, Sample, SampleSink, UnitSession } from "../../driver.ts";
import type { SerialAddress } from "../serial-address.ts";
import type { OsdpAddress } from "./osdp-address.ts";
import { COMMAND, REPLY } from "./osdp-codes.ts";
import type { OsdpConversation, OsdpReply } from "./osdp-conversation.ts";
import {
  cardOf,
  keysOf,
  questionOf,
  type ReaderEvent,
  type StatusQuestion,
  statusOf,
} from "./osdp-replies.ts";
import { encodeOsdpWrite } from "./osdp-writes.ts";

type Point = PointDefinition<SerialAddress>;

/** What a unit tells by itself is also asked for this often: a change whose answer got lost is not told twice. */
const REFRESH_EVERY = Seconds(10);
const NOTHING = new Uint8Array();

/** Statuses asked in one command. */
class OsdpExchange implements Exchange<SerialAddress> {
  readonly points: readonly Point[];
  readonly label: string;
  /** `undefined`: points that no command asks for. */
  readonly question: StatusQuestion | undefined;

  constructor(points: readonly Point[], question: StatusQuestion | undefined, address: number) {
    this.points = points;
    this.question = question;
    this.label = `ask ${question?.name ?? "what is only told"} of unit ${address}`;
  }
}

interface Subscription {
  readonly points: readonly Point[];
  readonly sink: SampleSink;
  readonly questions: readonly StatusQuestion[];
}

/** The panel's side of one unit: a door controller, a reader, or both. */
export class OsdpUnit implements UnitSession<SerialAddress> {
  readonly keepAlive: KeepAlive;
  readonly #address: number;
  readonly #conversation: OsdpConversation;
  readonly #clock: Clock;
  #subscription: Subscription | undefined;
  /** Questions still to be asked before the unit is only polled. */
  #due: StatusQuestion[] = [];
  #dueSince: { readonly opened: number; readonly at: Uptime } | undefined;

  constructor(
    address: number,
    conversation: OsdpConversation,
    { clock, pollEvery }: { readonly clock: Clock; readonly pollEvery: Millis },
  ) {
    this.#address = address;
    this.#conversation = conversation;
    this.#clock = clock;
    this.keepAlive = { every: pollEvery, exchange: (signal) => this.#keepAlive(signal) };
  }

  plan(points: readonly Point[]): readonly Exchange<SerialAddress>[] {
    const byQuestion = Map.groupBy(points, ({ address }) =>
      isOsdp(address) ? questionOf(address) : undefined,
    );
    return [...byQuestion].map(([question, members]) => new OsdpExchange(members, question, this.#address));
  }

  async exchange(exchange: Exchange<SerialAddress>, signal: AbortSignal): Promise<readonly Sample[]> {
    assert(exchange instanceof OsdpExchange, "an exchange comes from plan() of the same driver");
    const { question, label, points } = exchange;
    if (question === undefined) {
      signal.throwIfAborted();
      return points.map(({ name }) => notAsked(`${label}: ${name}`));
    }
    const reply = await this.#ask(question, signal);
    const samples = points.map((point) => this.#sampleOf(point, reply));
    if (reply.code !== question.reply) this.#takeReply(reply);
    return samples;
  }

  async write(point: Point, value: PointValue, signal: AbortSignal): Promise<void> {
    const command = encodeOsdpWrite(point, value, this.#address);
    this.#takeReply(await this.#conversation.ask(command, signal));
  }

  tellsByItself({ address }: Point): boolean {
    return isOsdp(address) && address.item !== "identity";
  }

  async subscribe(points: readonly Point[], sink: SampleSink, signal: AbortSignal): Promise<void> {
    const asked = points.map(({ address }) => (isOsdp(address) ? questionOf(address) : undefined));
    const questions = [...new Set(asked)].filter((question) => question !== undefined);
    this.#subscription = { points, sink, questions };
    this.#dueSince = undefined;
    await new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
      if (signal.aborted) resolve();
    });
    this.#subscription = undefined;
  }

  /** What was never told, or not lately, is asked for; else the unit is polled for what it has to tell. */
  async #keepAlive(signal: AbortSignal): Promise<void> {
    this.#refreshDue();
    const question = this.#due[0];
    if (question !== undefined) {
      const reply = await this.#ask(question, signal);
      this.#refreshDue();
      this.#due = this.#due.filter((other) => other !== question);
      this.#takeReply(reply);
      return;
    }
    const label = `poll unit ${this.#address}`;
    const reply = await this.#conversation.ask({ code: COMMAND.poll, data: NOTHING, label }, signal);
    this.#takeReply(reply);
    this.#refreshDue();
    if (this.#due.length === 0) this.#subscription?.sink.confirm();
  }

  /** Everything is asked anew in a new conversation, which may have begun with the question before. */
  #refreshDue(): void {
    const now = this.#clock.uptime();
    const { opened } = this.#conversation;
    const last = this.#dueSince;
    if (last !== undefined && last.opened === opened && since(last.at, now) < REFRESH_EVERY) return;
    this.#dueSince = { opened, at: now };
    this.#due = [...(this.#subscription?.questions ?? [])];
  }

  async #ask(question: StatusQuestion, signal: AbortSignal): Promise<OsdpReply> {
    const label = `ask ${question.name} of unit ${this.#address}`;
    return await this.#conversation.ask({ code: question.command, data: question.data, label }, signal);
  }

  #sampleOf(point: Point, reply: OsdpReply): Sample {
    const { address } = point;
    if (!isOsdp(address)) return notAsked(`ask ${point.name} of unit ${this.#address}`);
    if (reply.code !== questionOf(address)?.reply) {
      const cause = new Error(`it answered with reply 0x${reply.code.toString(16)}`);
      return {
        fault: new DeviceFault("malformed-reply", `ask ${point.name} of unit ${this.#address}`, { cause }),
      };
    }
    const value = statusOf(address, reply.data);
    if (value !== undefined) return { value, takenAt: null };
    const cause = new Error("the unit has fewer: check the number in the profile");
    return {
      fault: new DeviceFault("unknown-address", `ask ${point.name} of unit ${this.#address}`, { cause }),
    };
  }

  /** Whatever a unit answers may be news: SIA OSDP 2.2 lets it answer a poll with any status or event. */
  #takeReply(reply: OsdpReply): void {
    if (reply.code === REPLY.card) this.#tellEvent(cardOf(reply.data));
    else if (reply.code === REPLY.keypad) this.#tellEvent(keysOf(reply.data));
    else this.#tellStatuses(reply);
  }

  #tellEvent(event: ReaderEvent | undefined): void {
    if (event === undefined) return;
    for (const point of this.#subscription?.points ?? []) {
      const { address } = point;
      if (
        isOsdp(address) &&
        address.item === event.item &&
        "reader" in address &&
        address.reader === event.reader
      )
        this.#subscription?.sink.tell(point, { value: event.text, takenAt: null });
    }
  }

  #tellStatuses(reply: OsdpReply): void {
    for (const point of this.#subscription?.points ?? []) {
      const isTold = isOsdp(point.address) && questionOf(point.address)?.reply === reply.code;
      if (isTold) this.#subscription?.sink.tell(point, this.#sampleOf(point, reply));
    }
  }
}

/** A profile may mix dialects by mistake; each is asked only for its own. */
function isOsdp(address: SerialAddress): address is OsdpAddress {
  return address.dialect === "osdp";
}

function notAsked(label: string): Sample {
  const cause = new Error("no command of OSDP asks for it: events are told, lamps and buzzers only written");
  return { fault: new DeviceFault("unknown-address", label, { cause }) };
}
