import type { SimulatorClock } from "../clock.ts";
import type { DeviceJournal } from "../device-journal.ts";
import { CAPABILITIES, newsAnswer } from "./device-reports.ts";
import type { DoorHardware } from "./door-hardware.ts";
import { NAK, type PreparedOrder, prepareOrder } from "./panel-orders.ts";
import { answerHead, type DeviceAnswer, type PanelPacket, sealPacket } from "./pd-frame.ts";
import { type DeviceChannel, DeviceHandshake, INSTALL_KEY } from "./pd-secure-channel.ts";

export interface DeviceIdentity {
  readonly address: number;
  /** Six digits of the maker, hexadecimal. */
  readonly vendor: string;
  readonly model: number;
  readonly version: number;
  readonly serial: number;
  readonly firmware: readonly [number, number, number];
}

export interface PeripheralParts {
  readonly identity: DeviceIdentity;
  /** 16 bytes; absent: as it came from the factory, in install mode. */
  readonly key: Buffer | undefined;
  /** Whether it does anything but identify itself outside a secure channel. */
  readonly clear: "refused" | "allowed";
  readonly hardware: DoorHardware;
  readonly log: DeviceJournal;
  readonly clock: SimulatorClock;
  readonly random: (bytes: number) => Buffer;
}

type Answer = Pick<DeviceAnswer, "code" | "data"> & { readonly block?: DeviceAnswer["block"] };

const ONLINE_MS = 8_000;
const NO_DATA = new Uint8Array();
const ACK: Answer = { code: 0x40, data: NO_DATA };
const nak = (reason: number): Answer => ({ code: 0x41, data: Uint8Array.of(reason) });
/** What a device answers outside a secure channel, however strict it is: identification, capabilities, the handshake. */
const ALWAYS_CLEAR = new Set([0x61, 0x62, 0x76]);
const NAMES: Readonly<Record<number, string>> = { 104: "OUT", 105: "LED", 106: "BUZ", 117: "KEYSET" };

/** One device on an OSDP line: a door unit with a reader, as SIA OSDP 2.2 describes the peripheral's side. */
export class PeripheralDevice {
  /** Says that it is busy this many times. */
  busyFor = 0;
  #isPowered = true;
  readonly #parts: PeripheralParts;
  #key: Buffer | undefined;
  #sequence = -1;
  #lastPacket: Buffer = Buffer.alloc(0);
  #lastAnswer: Buffer = Buffer.alloc(0);
  #heardAt = Number.NEGATIVE_INFINITY;
  #handshake: DeviceHandshake | undefined;
  #channel: DeviceChannel | undefined;

  constructor(parts: PeripheralParts) {
    this.#parts = parts;
    this.#key = parts.key;
  }

  get address(): number {
    return this.#parts.identity.address;
  }

  get hasOwnKey(): boolean {
    return this.#key !== undefined;
  }

  get isSecure(): boolean {
    return this.#channel !== undefined;
  }

  get isPowered(): boolean {
    return this.#isPowered;
  }

  /** Without power it hears and says nothing; it comes back as after a start, with what it is told to keep: its key. */
  setPower(to: number): void {
    this.#isPowered = to === 1;
    this.#begin();
  }

  /** Back to the factory's key: what a hand with the cover open can do. */
  forgetKey(): void {
    this.#key = undefined;
    this.#channel = undefined;
  }

  /** The bytes of the answer; `undefined`: it is not for this device, or that has no power. */
  answer(packet: PanelPacket): Buffer | undefined {
    const { clock } = this.#parts;
    if (packet.address !== this.address || !this.#isPowered) return undefined;
    if (clock.monotonicMs() - this.#heardAt > ONLINE_MS) this.#begin();
    this.#heardAt = clock.monotonicMs();
    if (packet.sequence === 0) this.#begin();
    else if (packet.sequence === this.#sequence && packet.macInput.equals(this.#lastPacket))
      return this.#lastAnswer;
    else if (packet.sequence !== (this.#sequence % 3) + 1) return this.#outOfStep(packet);
    if (this.busyFor > 0) {
      this.busyFor -= 1;
      return sealPacket(this.#head(packet, { code: 0x79, data: NO_DATA }, 0), NO_DATA, packet.check);
    }
    this.#sequence = packet.sequence;
    this.#lastPacket = Buffer.from(packet.macInput);
    this.#lastAnswer = this.#process(packet);
    return this.#lastAnswer;
  }

  #begin(): void {
    this.#sequence = -1;
    this.#lastPacket = Buffer.alloc(0);
    this.#channel = undefined;
    this.#handshake = undefined;
  }

  #outOfStep(packet: PanelPacket): Buffer {
    this.#channel = undefined;
    return sealPacket(this.#head(packet, nak(NAK.sequence), packet.sequence), NO_DATA, packet.check);
  }

  #process(packet: PanelPacket): Buffer {
    const { block } = packet;
    if (block !== null && block.type >= 0x15) return this.#processSecure(packet);
    const isRefused = this.#parts.clear === "refused" && !ALWAYS_CLEAR.has(packet.code) && block === null;
    if (block === null && this.#channel !== undefined) this.#channel = undefined;
    const answer = isRefused ? nak(NAK.encryption) : this.#execute(packet, packet.data);
    return sealPacket(this.#head(packet, answer, packet.sequence), NO_DATA, packet.check);
  }

  #processSecure(packet: PanelPacket): Buffer {
    const channel = this.#channel;
    const sealed = packet.block?.type === 0x17;
    const data = channel?.open({ macInput: packet.macInput, mac: packet.mac, data: packet.data, sealed });
    if (channel === undefined || data === undefined) {
      this.#channel = undefined;
      return sealPacket(this.#head(packet, nak(NAK.encryption), packet.sequence), NO_DATA, packet.check);
    }
    const plain = this.#execute(packet, data);
    const isLong = plain.data.length > 0;
    const block = { type: isLong ? 0x18 : 0x16, data: [] };
    const answer = { code: plain.code, data: isLong ? channel.encrypt(plain.data) : plain.data, block };
    const head = this.#head(packet, answer, packet.sequence);
    return sealPacket(head, channel.sign(head), packet.check);
  }

  #head(packet: PanelPacket, answer: Answer, sequence: number): Buffer {
    const { check } = packet;
    return answerHead({ address: this.address, sequence, check, block: null, ...answer });
  }

  #execute(packet: PanelPacket, data: Buffer): Answer {
    const { hardware } = this.#parts;
    switch (packet.code) {
      case 0x60:
        return this.#tellNews();
      case 0x61:
        return { code: 0x45, data: this.#identification() };
      case 0x62:
        return { code: 0x46, data: CAPABILITIES };
      case 0x64:
        return { code: 0x48, data: Uint8Array.of(hardware.tamper, hardware.powerFailure) };
      case 0x65:
        return { code: 0x49, data: Uint8Array.from(hardware.inputs) };
      case 0x66:
        return { code: 0x4a, data: Uint8Array.from(hardware.outputs) };
      case 0x67:
        return { code: 0x4b, data: Uint8Array.of(hardware.readerTamper === 0 ? 0 : 2) };
      case 0x76:
        return this.#challenge(packet, data);
      case 0x77:
        return this.#prove(data);
      default:
        return this.#order(packet.code, data);
    }
  }

  #order(code: number, data: Buffer): Answer {
    const what = NAMES[code];
    if (what === undefined) return nak(NAK.unknown);
    const run = this.#prepare(code, data);
    // A key is no value for a journal.
    const values = code === 0x75 ? [] : [...data];
    const order = { protocol: "osdp", what, values };
    if (typeof run === "number") {
      this.#parts.log.ordered(order, `nak-${run}`);
      return nak(run);
    }
    run(this.#parts.log.ordered(order, "executed"));
    return ACK;
  }

  #prepare(code: number, data: Buffer): PreparedOrder | number {
    return code === 0x75 ? this.#prepareKey(data) : prepareOrder(code, data, this.#parts.hardware);
  }

  #prepareKey(data: Buffer): PreparedOrder | number {
    if (this.#channel === undefined) return NAK.encryption;
    if (data.length !== 18 || data[0] !== 1 || data[1] !== 16) return NAK.length;
    const key = Buffer.from(data.subarray(2));
    return (cause) => {
      const from = this.#key === undefined ? 0 : 1;
      this.#key = key;
      this.#parts.log.effect(cause, [{ what: "own-key", from, to: 1 }]);
    };
  }

  #challenge(packet: PanelPacket, data: Buffer): Answer {
    const { random, identity } = this.#parts;
    if (packet.block?.type !== 0x11 || data.length !== 8) return nak(NAK.block);
    const asksOwn = packet.block.data[0] === 1;
    if (!asksOwn && this.#key !== undefined) return nak(NAK.block);
    const uid = Buffer.alloc(8);
    uid.writeUInt32LE(identity.serial, 4);
    this.#handshake = new DeviceHandshake(this.#key ?? INSTALL_KEY, data, { uid, random: random(8) });
    return {
      code: 0x76,
      data: this.#handshake.ccrypt,
      block: { type: 0x12, data: [this.#key === undefined ? 0 : 1] },
    };
  }

  #prove(data: Buffer): Answer {
    const accepted = this.#handshake?.accept(data);
    this.#handshake = undefined;
    if (accepted === undefined)
      return { code: 0x78, data: Buffer.alloc(16), block: { type: 0x14, data: [0xff] } };
    this.#channel = accepted.channel;
    return { code: 0x78, data: accepted.rmac, block: { type: 0x14, data: [1] } };
  }

  #tellNews(): Answer {
    const news = this.#parts.hardware.takeNews();
    return news === undefined ? ACK : newsAnswer(news, this.#parts.hardware);
  }

  #identification(): Uint8Array {
    const { vendor, model, version, serial, firmware } = this.#parts.identity;
    const bytes = Buffer.alloc(12);
    Buffer.from(vendor, "hex").copy(bytes);
    bytes.writeUInt8(model, 3);
    bytes.writeUInt8(version, 4);
    bytes.writeUInt32LE(serial, 5);
    Buffer.from(firmware).copy(bytes, 9);
    return bytes;
  }
}
