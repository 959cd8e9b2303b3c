import { DeviceFault } from "../../../domain/errors.ts";
import { type Clock, Millis, Seconds, since, type Uptime } from "../../../domain/time.ts";
import { COMMAND, NAK_OUT_OF_STEP, NAK_REASONS, NAK_UNKNOWN_COMMAND, REPLY, SECURITY } from "./osdp-codes.ts";
import { encodeFrame, encodeUnsigned, type OsdpFrame, type SoundFrame } from "./osdp-frame.ts";
import { Handshake, RANDOM_BYTES, type SecureChannel } from "./secure-channel.ts";

/** What a conversation needs of the line it shares. */
export interface OsdpLine {
  /**
   * Puts the frame on the line and waits for an answer that is wanted, passing over all others; `undefined`: none came
   * within the reply time. @throws {DeviceFault} `connection-lost`, or the signal's reason.
   */
  ask(
    frame: Buffer,
    wants: (answer: OsdpFrame) => boolean,
    signal: AbortSignal,
  ): Promise<SoundFrame | undefined>;
}

export interface OsdpCommand {
  readonly code: number;
  readonly data: Uint8Array;
  /** For people and logs: `ask the inputs of unit 1`. */
  readonly label: string;
}
export interface OsdpReply {
  readonly code: number;
  readonly data: Buffer;
}

export interface ConversationParts {
  readonly address: number;
  readonly line: OsdpLine;
  /** `missing`: the key file has none for this unit; `off`: the site file says that this line has no secure channel. */
  readonly key: UnitKey | "missing" | "off";
  readonly random: (bytes: number) => Buffer;
  readonly clock: Clock;
  /** For a command with all its repetitions. */
  readonly requestTimeout: Millis;
  /** A new conversation begins so long after one that was broken off: what is still answered to that is over by then. */
  readonly quiet: Millis;
}

/** `install`: the key that every unit comes with (SCBK-D), to give it one of its own and for nothing else. */
export interface UnitKey {
  readonly kind: "own" | "install";
  readonly bytes: Buffer;
}

/** SIA OSDP 2.2 §5.7: a unit that hears nothing for so long counts itself offline and begins anew. */
const OFFLINE_AFTER = Seconds(8);
/** How often a frame is put on the line before the unit counts as silent. */
const SENDS_MAX = 2;
/** A busy unit is asked again after this. */
const BUSY_PAUSE = Millis(20);
/** Data of a security block: which key it is about. */
const KEY_CODES = { own: 1, install: 0 } as const;
const UNIT_RANDOM_AT = 8;
const UNIT_CRYPTOGRAM_AT = 16;
const HANDSHAKE_BYTES = 32;

/**
 * One panel-to-unit conversation: sequence numbers, secure channel, repetitions, and the beginning anew when either
 * side lost step. It begins with the next command, and never by itself.
 */
export class OsdpConversation {
  readonly #parts: ConversationParts;
  #state: "closed" | "open" = "closed";
  #sequence = 0;
  #channel: SecureChannel | undefined;
  #answeredAt: Uptime | undefined;
  #brokenOffAt: Uptime | undefined;
  #opened = 0;
  /** The last one whose unit did not answer in time: it still may. */
  #challenged: Handshake | undefined;

  constructor(parts: ConversationParts) {
    this.#parts = parts;
  }

  /** How often a conversation was begun: a new one has to be told everything anew. */
  get opened(): number {
    return this.#opened;
  }

  /** @throws {DeviceFault} of any code, or the signal's reason. */
  async ask(command: OsdpCommand, signal: AbortSignal): Promise<OsdpReply> {
    signal.throwIfAborted();
    if (this.#isOver()) this.#close();
    if (this.#state === "closed") await this.#open(signal);
    return await this.#exchange(command, signal);
  }

  async #open(signal: AbortSignal): Promise<void> {
    const { key, clock, quiet } = this.#parts;
    if (this.#brokenOffAt !== undefined) {
      const left = quiet - since(this.#brokenOffAt, clock.uptime());
      if (left > 0) await clock.sleep(Millis(left), signal);
    }
    this.#brokenOffAt = undefined;
    if (key === "missing")
      throw this.#refusal("the key file has no key of this unit: give it one with `nerve unit-key`");
    if (key !== "off") this.#channel = await this.#openChannel(key, signal);
    this.#state = "open";
    this.#opened += 1;
  }

  #isOver(): boolean {
    const at = this.#answeredAt;
    return at !== undefined && since(at, this.#parts.clock.uptime()) >= OFFLINE_AFTER;
  }

  #close(): void {
    this.#state = "closed";
    this.#sequence = 0;
    this.#channel = undefined;
    this.#answeredAt = undefined;
  }

  async #exchange(command: OsdpCommand, signal: AbortSignal): Promise<OsdpReply> {
    const { address } = this.#parts;
    const head = { address, sequence: this.#sequence, code: command.code, data: command.data };
    const bytes = this.#channel?.seal(head) ?? encodeFrame(encodeUnsigned({ ...head, from: "panel" }));
    const { frame, signedBytes } = await this.#send(bytes, command.label, signal);
    if (this.#channel === undefined)
      return this.#settle({ code: frame.code, data: Buffer.from(frame.data) }, command);
    if (frame.security === undefined) throw this.#outOfStep(command.label, unsignedAnswer(frame));
    const data = this.#channel.unseal(frame, signedBytes);
    if (data === undefined) throw this.#outOfStep(command.label, "the answer's MAC is not the unit's");
    return this.#settle({ code: frame.code, data }, command);
  }

  /** Annex D: challenge, the unit's proof, ours, and the first MAC. */
  async #openChannel(key: UnitKey, signal: AbortSignal): Promise<SecureChannel> {
    const handshake = new Handshake(key.bytes, this.#parts.random(RANDOM_BYTES));
    const before = this.#challenged;
    this.#challenged = handshake;
    const told = await this.#handshakeStep(
      { code: COMMAND.challenge, data: handshake.panelRandom, security: SECURITY.challenge, key },
      { code: REPLY.clientCryptogram, security: SECURITY.clientCryptogram, bytes: HANDSHAKE_BYTES },
      signal,
    );
    if (told.security[0] !== KEY_CODES[key.kind])
      throw this.#refusal(
        key.kind === "own"
          ? "the unit is in install mode: it still has the key that everybody knows. Give it a key of its own with `nerve unit-key`"
          : "the unit has a key of its own already",
      );
    const unitRandom = told.data.subarray(UNIT_RANDOM_AT, UNIT_CRYPTOGRAM_AT);
    const cryptogram = handshake.answer(unitRandom, told.data.subarray(UNIT_CRYPTOGRAM_AT, HANDSHAKE_BYTES));
    if (cryptogram === undefined) throw this.#wrongCryptogram(told.data, before);
    this.#challenged = undefined;
    const last = await this.#handshakeStep(
      { code: COMMAND.serverCryptogram, data: cryptogram, security: SECURITY.serverCryptogram, key },
      { code: REPLY.initialMac, security: SECURITY.initialMac, bytes: 16 },
      signal,
    );
    const channel = handshake.open(cryptogram, last.data.subarray(0, 16));
    if (channel === undefined) throw this.#refusal("the unit did not accept the key of the key file");
    return channel;
  }

  async #handshakeStep(
    asked: { readonly code: number; readonly data: Buffer; readonly security: number; readonly key: UnitKey },
    wanted: { readonly code: number; readonly security: number; readonly bytes: number },
    signal: AbortSignal,
  ): Promise<{ readonly data: Buffer; readonly security: Uint8Array }> {
    const { address } = this.#parts;
    const label = `open the secure channel of unit ${address}`;
    const security = { type: asked.security, data: Uint8Array.of(KEY_CODES[asked.key.kind]) };
    const bytes = encodeFrame(
      encodeUnsigned({
        address,
        from: "panel",
        sequence: this.#sequence,
        code: asked.code,
        data: asked.data,
        security,
      }),
    );
    const { frame } = await this.#send(bytes, label, signal);
    if (frame.code === REPLY.nak) {
      const reason = NAK_REASONS.get(frame.data[0] ?? 0) ?? "for a reason of its own";
      throw this.#refusal(`the unit refuses a secure channel (${reason})`);
    }
    if (
      frame.code !== wanted.code ||
      frame.security?.type !== wanted.security ||
      frame.data.length < wanted.bytes
    )
      throw this.#outOfStep(label, `reply 0x${frame.code.toString(16)} in the handshake`);
    this.#advance();
    return { data: Buffer.from(frame.data), security: frame.security.data };
  }

  /** The unit's answer to exactly this frame, sent twice if need be: a repeated sequence number moves nothing twice. */
  async #send(bytes: Buffer, label: string, signal: AbortSignal): Promise<SoundFrame> {
    try {
      const answer = await this.#askUntilAnswered(bytes, signal);
      if (typeof answer === "string") throw new DeviceFault("timeout", label, { cause: new Error(answer) });
      this.#answeredAt = this.#parts.clock.uptime();
      return answer;
    } catch (error) {
      // Whether it heard the frame is not known, so neither is the sequence number that it waits for.
      this.#close();
      this.#brokenOffAt = this.#parts.clock.uptime();
      throw error;
    }
  }

  /** Why there is no answer, for people, where none comes. */
  async #askUntilAnswered(bytes: Buffer, signal: AbortSignal): Promise<SoundFrame | string> {
    const { line, clock, requestTimeout } = this.#parts;
    const start = clock.uptime();
    let silent = 0;
    while (silent < SENDS_MAX && since(start, clock.uptime()) < requestTimeout) {
      const answer = await line.ask(bytes, this.#wants, signal);
      if (answer !== undefined && answer.frame.code !== REPLY.busy) return answer;
      if (answer === undefined) silent += 1;
      else await clock.sleep(BUSY_PAUSE, signal);
    }
    return silent > 0 ? `no answer to ${silent} sendings` : "the unit says that it is busy";
  }

  /** Ours, and not a late one to the frame before. A unit that lost step, or is busy, can not tell the number. */
  readonly #wants = ({ address, from, sequence, code }: OsdpFrame): boolean =>
    from === "unit" &&
    address === this.#parts.address &&
    (sequence === this.#sequence || code === REPLY.busy || code === REPLY.nak);

  #settle(reply: OsdpReply, command: OsdpCommand): OsdpReply {
    if (reply.code !== REPLY.nak) {
      this.#advance();
      return reply;
    }
    const code = reply.data[0] ?? 0;
    const reason = NAK_REASONS.get(code) ?? `reason 0x${code.toString(16)}`;
    if (NAK_OUT_OF_STEP.has(code)) throw this.#outOfStep(command.label, reason);
    this.#advance();
    const fault = code === NAK_UNKNOWN_COMMAND ? "unknown-address" : "refused-by-device";
    throw new DeviceFault(fault, command.label, { cause: new Error(`refused: ${reason}`) });
  }

  /** §5.9: 0 only begins; then 1, 2, 3, 1 … */
  #advance(): void {
    this.#sequence = (this.#sequence % 3) + 1;
  }

  /** Late to the challenge before, it looks like an answer of a unit with another key. */
  #wrongCryptogram(told: Buffer, before: Handshake | undefined): DeviceFault {
    const unitRandom = told.subarray(UNIT_RANDOM_AT, UNIT_CRYPTOGRAM_AT);
    const cryptogram = told.subarray(UNIT_CRYPTOGRAM_AT, HANDSHAKE_BYTES);
    if (before?.answer(unitRandom, cryptogram) === undefined)
      return this.#refusal("the unit does not hold the key of the key file");
    return this.#outOfStep(
      `open the secure channel of unit ${this.#parts.address}`,
      "it answered the challenge before this one: it is slower than replyTimeout",
    );
  }

  #outOfStep(label: string, why: string): DeviceFault {
    this.#close();
    return new DeviceFault("malformed-reply", label, { cause: new Error(why) });
  }

  #refusal(why: string): DeviceFault {
    this.#close();
    return new DeviceFault("malformed-reply", `open the secure channel of unit ${this.#parts.address}`, {
      cause: new Error(why),
    });
  }
}

function unsignedAnswer(frame: OsdpFrame): string {
  if (frame.code !== REPLY.nak) return "an answer in clear inside a secure channel";
  return NAK_REASONS.get(frame.data[0] ?? 0) ?? "refused in clear";
}
