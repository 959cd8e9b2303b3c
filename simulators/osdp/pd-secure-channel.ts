import { type Cipheriv, createCipheriv, createDecipheriv } from "node:crypto";

/** The device's half of the OSDP secure channel: AES-128, SIA OSDP 2.2 annex D. */
export const INSTALL_KEY = Buffer.from(Array.from({ length: 16 }, (_, index) => 0x30 + index));

const ZERO = Buffer.alloc(16);

interface Keys {
  readonly enc: Buffer;
  readonly smac1: Buffer;
  readonly smac2: Buffer;
}

/** A challenge taken: what to answer, and what the panel must prove. */
export class DeviceHandshake {
  /** Client UID, random number and cryptogram: the data of CCRYPT. */
  readonly ccrypt: Buffer;
  readonly #keys: Keys;
  readonly #expected: Buffer;

  constructor(key: Buffer, panelRandom: Buffer, own: { readonly uid: Buffer; readonly random: Buffer }) {
    const derived = (first: number, second: number): Buffer =>
      ecb(key, Buffer.concat([Buffer.from([first, second]), panelRandom.subarray(0, 6), Buffer.alloc(8)]));
    this.#keys = { enc: derived(1, 0x82), smac1: derived(1, 1), smac2: derived(1, 2) };
    const cryptogram = ecb(this.#keys.enc, Buffer.concat([panelRandom, own.random]));
    this.ccrypt = Buffer.concat([own.uid, own.random, cryptogram]);
    this.#expected = ecb(this.#keys.enc, Buffer.concat([own.random, panelRandom]));
  }

  /** The channel and its first R-MAC, if the panel's cryptogram is right. */
  accept(panelCryptogram: Buffer): { readonly channel: DeviceChannel; readonly rmac: Buffer } | undefined {
    if (!this.#expected.equals(panelCryptogram)) return undefined;
    const rmac = ecb(this.#keys.smac2, ecb(this.#keys.smac1, panelCryptogram));
    return { channel: new DeviceChannel(this.#keys, rmac), rmac };
  }
}

/** Checks what comes, seals what goes. */
export class DeviceChannel {
  readonly #keys: Keys;
  /** Kept, for every frame of every poll goes through them. */
  readonly #first: Cipheriv;
  readonly #last: Cipheriv;
  #rmac: Buffer;
  #cmac: Buffer = ZERO;

  constructor(keys: Keys, rmac: Buffer) {
    this.#keys = keys;
    this.#rmac = rmac;
    this.#first = createCipheriv("aes-128-ecb", keys.smac1, null);
    this.#last = createCipheriv("aes-128-ecb", keys.smac2, null);
  }

  /** The command's data in clear; `undefined`: its MAC is wrong. */
  open(packet: {
    readonly macInput: Buffer;
    readonly mac: Buffer | null;
    readonly data: Buffer;
    readonly sealed: boolean;
  }): Buffer | undefined {
    const mac = this.#chain(packet.macInput, this.#rmac);
    if (packet.mac === null || !mac.subarray(0, 4).equals(packet.mac)) return undefined;
    this.#cmac = mac;
    return packet.sealed ? this.#decrypt(packet.data) : packet.data;
  }

  encrypt(data: Uint8Array): Buffer {
    const cipher = createCipheriv("aes-128-cbc", this.#keys.enc, flipped(this.#cmac)).setAutoPadding(false);
    return Buffer.concat([cipher.update(padded(data)), cipher.final()]);
  }

  /** The four bytes behind the answer. */
  sign(head: Buffer): Buffer {
    this.#rmac = this.#chain(head, this.#cmac);
    return this.#rmac.subarray(0, 4);
  }

  #chain(input: Buffer, iv: Buffer): Buffer {
    const blocks = input.length % 16 === 0 ? input : padded(input);
    let last = iv;
    for (let at = 0; at < blocks.length; at += 16) {
      const cipher = at + 16 < blocks.length ? this.#first : this.#last;
      const mixed = Buffer.from(blocks.subarray(at, at + 16).map((byte, index) => byte ^ (last[index] ?? 0)));
      last = cipher.update(mixed);
    }
    return last;
  }

  #decrypt(data: Buffer): Buffer | undefined {
    if (data.length === 0 || data.length % 16 !== 0) return undefined;
    const decipher = createDecipheriv("aes-128-cbc", this.#keys.enc, flipped(this.#rmac)).setAutoPadding(
      false,
    );
    const clear = Buffer.concat([decipher.update(data), decipher.final()]);
    const end = clear.lastIndexOf(0x80);
    return end === -1 ? undefined : clear.subarray(0, end);
  }
}

function padded(data: Uint8Array): Buffer {
  const zeros = (16 - ((data.length + 1) % 16)) % 16;
  return Buffer.concat([data, Buffer.from([0x80]), Buffer.alloc(zeros)]);
}

function ecb(key: Buffer, block: Buffer): Buffer {
  const cipher = createCipheriv("aes-128-ecb", key, null).setAutoPadding(false);
  return Buffer.concat([cipher.update(block), cipher.final()]);
}

function flipped(block: Buffer): Buffer {
  return Buffer.from(block.map((byte) => byte ^ 0xff));
}
