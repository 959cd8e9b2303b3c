import type { LineLedger } from "../line/line-ledger.ts";

const START_SYSEX = 0xf0;
const END_SYSEX = 0xf7;
const VERSION = 0xf9;
const ANALOG = 0xe0;
const DIGITAL = 0x90;
/** All three that a board sends beside SysEx: Firmata protocol 2.5, message types. */
const DATA_BYTES = 2;

/** Follows the messages of a board byte by byte and counts what belongs to none. It judges no content: Firmata has no checksum. */
export class MessageMeter {
  readonly #ledger: LineLedger;
  #sysexBytes = 0;
  /** Data bytes that the message still lacks. */
  #missing = 0;

  constructor(ledger: LineLedger) {
    this.#ledger = ledger;
  }

  /** Of the SysEx message that is open, with its start; 0: none is. */
  get sysexBytes(): number {
    return this.#sysexBytes;
  }

  take(byte: number): void {
    if (byte < 0x80) this.#takeData();
    else if (byte === END_SYSEX && this.#sysexBytes > 0) this.#sysexBytes = 0;
    else this.#begin(byte);
  }

  #takeData(): void {
    if (this.#sysexBytes > 0) this.#sysexBytes += 1;
    else if (this.#missing > 0) this.#missing -= 1;
    else this.#ledger.count("noiseBytes");
  }

  #begin(status: number): void {
    if (this.#sysexBytes > 0 || this.#missing > 0) this.#ledger.count("shortFrames");
    this.#sysexBytes = status === START_SYSEX ? 1 : 0;
    const command = status < 0xf0 ? status & 0xf0 : status;
    const isMessage = command === ANALOG || command === DIGITAL || command === VERSION;
    this.#missing = isMessage ? DATA_BYTES : 0;
    if (!isMessage && status !== START_SYSEX) this.#ledger.count("noiseBytes");
  }
}
