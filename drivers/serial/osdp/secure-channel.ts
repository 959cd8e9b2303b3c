import { type Cipheriv, createCipheriv, createDecipheriv, timingSafeEqual } from "node:crypto";
import { SECURITY } from "./osdp-codes.ts";
import { encodeFrame, encodeUnsigned, MAC_BYTES, type OsdpFrame } from "./osdp-frame.ts";

/** SIA OSDP 2.2 annex D: AES-128 keys, one each for sealing and for the two steps of a MAC. */
interface SessionKeys {
  readonly seal: Buffer;
  readonly mac1: Buffer;
  readonly mac2: Buffer;
}

export const KEY_BYTES = 16;
export const RANDOM_BYTES = 8;
const BLOCK = 16;
const PAD_MARK = 0x80;
/** Annex D.3: what each derived key begins with; then the first six bytes of the panel's random number. */
const DERIVE = { seal: [0x01, 0x82], mac1: [0x01, 0x01], mac2: [0x01, 0x02] } as const;
const DERIVE_RANDOM_BYTES = 6;

/** The panel's half of the handshake: what it asked, and what must come back. */
export class Handshake {
  readonly panelRandom: Buffer;
  readonly #keys: SessionKeys;

  /** `key`: the SCBK of this unit, {@link KEY_BYTES}. */
  constructor(key: Buffer, panelRandom: Buffer) {
    this.panelRandom = panelRandom;
    this.#keys = {
      seal: derive(key, DERIVE.seal, panelRandom),
      mac1: derive(key, DERIVE.mac1, panelRandom),
      mac2: derive(key, DERIVE.mac2, panelRandom),
    };
  }

  /** What the panel answers to a unit that proved to hold the key; `undefined` when it did not prove it. */
  answer(unitRandom: Uint8Array, unitCryptogram: Uint8Array): Buffer | undefined {
    const expected = encryptBlock(this.#keys.seal, Buffer.concat([this.panelRandom, unitRandom]));
    if (!isSame(expected, unitCryptogram)) return undefined;
    return encryptBlock(this.#keys.seal, Buffer.concat([unitRandom, this.panelRandom]));
  }

  /** The channel, if the unit's first MAC is the one that belongs to the panel's cryptogram. */
  open(panelCryptogram: Buffer, initialMac: Uint8Array): SecureChannel | undefined {
    const expected = encryptBlock(this.#keys.mac2, encryptBlock(this.#keys.mac1, panelCryptogram));
    return isSame(expected, initialMac) ? new SecureChannel(this.#keys, expected) : undefined;
  }
}

/** An open channel: each frame's MAC goes into the next one's, so that none can be left out, repeated or put elsewhere. */
export class SecureChannel {
  readonly #keys: SessionKeys;
  /** One block in, one out: made once, for a door is asked five times a second and making one costs more than what it does. */
  readonly #mac1: Cipheriv;
  readonly #mac2: Cipheriv;
  #commandMac: Buffer = Buffer.alloc(BLOCK);
  #replyMac: Buffer;

  constructor(keys: SessionKeys, initialMac: Buffer) {
    this.#keys = keys;
    this.#mac1 = createCipheriv("aes-128-ecb", keys.mac1, null);
    this.#mac2 = createCipheriv("aes-128-ecb", keys.mac2, null);
    this.#replyMac = initialMac;
  }

  /** The command as bytes for the line: signed, and sealed if it has data. */
  seal(command: Pick<OsdpFrame, "address" | "sequence" | "code" | "data">): Buffer {
    const isSealed = command.data.length > 0;
    const unsigned = encodeUnsigned({
      ...command,
      from: "panel",
      data: isSealed ? this.#encrypt(command.data, this.#replyMac) : command.data,
      security: { type: isSealed ? SECURITY.commandSealed : SECURITY.commandSigned, data: new Uint8Array() },
    });
    this.#commandMac = this.#mac(unsigned, this.#replyMac);
    return encodeFrame(unsigned, this.#commandMac);
  }

  /** The reply in clear; `undefined` when its MAC is not the one that must come now. */
  unseal(frame: OsdpFrame, signedBytes: Uint8Array): Buffer | undefined {
    const mac = this.#mac(signedBytes, this.#commandMac);
    if (frame.mac === undefined || !isSame(mac.subarray(0, MAC_BYTES), frame.mac)) return undefined;
    const data =
      frame.security?.type === SECURITY.replySealed ? this.#decrypt(frame.data) : Buffer.from(frame.data);
    if (data !== undefined) this.#replyMac = mac;
    return data;
  }

  /** Annex D.5: CBC with the first key, and the last block with the second. */
  #mac(bytes: Uint8Array, initial: Buffer): Buffer {
    const padded = bytes.length % BLOCK === 0 ? bytes : pad(bytes);
    let chained = initial;
    for (let at = 0; at < padded.length; at += BLOCK) {
      const cipher = at + BLOCK < padded.length ? this.#mac1 : this.#mac2;
      chained = cipher.update(mixed(chained, padded, at));
    }
    return chained;
  }

  #encrypt(data: Uint8Array, lastMac: Buffer): Buffer {
    return encrypt(this.#keys.seal, inverted(lastMac), pad(data));
  }

  #decrypt(data: Uint8Array): Buffer | undefined {
    if (data.length === 0 || data.length % BLOCK !== 0) return undefined;
    const decipher = createDecipheriv("aes-128-cbc", this.#keys.seal, inverted(this.#commandMac));
    decipher.setAutoPadding(false);
    const clear = Buffer.concat([decipher.update(data), decipher.final()]);
    const mark = clear.findLastIndex((byte) => byte !== 0);
    return clear[mark] === PAD_MARK ? clear.subarray(0, mark) : undefined;
  }
}

function derive(key: Buffer, begin: readonly number[], random: Buffer): Buffer {
  const block = Buffer.alloc(BLOCK);
  Buffer.from(begin).copy(block);
  random.copy(block, begin.length, 0, DERIVE_RANDOM_BYTES);
  return encryptBlock(key, block);
}

function encryptBlock(key: Buffer, block: Uint8Array): Buffer {
  return encrypt(key, Buffer.alloc(BLOCK), block);
}

function encrypt(key: Buffer, initial: Uint8Array, blocks: Uint8Array): Buffer {
  const cipher = createCipheriv("aes-128-cbc", key, initial);
  cipher.setAutoPadding(false);
  return Buffer.concat([cipher.update(blocks), cipher.final()]);
}

function pad(bytes: Uint8Array): Buffer {
  const padded = Buffer.alloc(Math.ceil((bytes.length + 1) / BLOCK) * BLOCK);
  padded.set(bytes);
  padded.writeUInt8(PAD_MARK, bytes.length);
  return padded;
}

/** `block` and the block of `bytes` at this place. */
function mixed(block: Uint8Array, bytes: Uint8Array, at: number): Buffer {
  const sum = Buffer.allocUnsafe(BLOCK);
  for (let index = 0; index < BLOCK; index += 1) sum[index] = (block[index] ?? 0) ^ (bytes[at + index] ?? 0);
  return sum;
}

function inverted(block: Uint8Array): Buffer {
  return Buffer.from(block.map((byte) => ~byte & 0xff));
}

function isSame(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}
