/** Two bytes of CRC or one of checksum: whichever the panel uses, the device answers with. */
export type PacketCheck = "crc" | "checksum";
const CHECK_BYTES: Readonly<Record<PacketCheck, number>> = { crc: 2, checksum: 1 };

/**
 * OSDP frames as a peripheral device sees them, written from the SIA OSDP 2.2 packet format: SOM 0x53, address, length
 * (low byte first, whole packet), control, optional security control block, code, data, optional MAC, check.
 */
export interface PanelPacket {
  readonly address: number;
  readonly sequence: number;
  readonly check: PacketCheck;
  readonly block: { readonly type: number; readonly data: Buffer } | null;
  readonly code: number;
  readonly data: Buffer;
  readonly mac: Buffer | null;
  /** Everything before the MAC. */
  readonly macInput: Buffer;
}

export interface DeviceAnswer {
  readonly address: number;
  readonly sequence: number;
  readonly check: PacketCheck;
  readonly block: { readonly type: number; readonly data: readonly number[] } | null;
  readonly code: number;
  readonly data: Uint8Array;
}

const SOM = 0x53;
const PACKET_MAX = 1_440;
const CONTROL = { sequence: 0x03, crc: 0x04, block: 0x08 } as const;
const FIRST_MAC_BLOCK = 0x15;
const CRC_TABLE = Uint16Array.from({ length: 256 }, (_, index) => {
  let value = index << 8;
  for (let bit = 0; bit < 8; bit += 1) value = (value & 0x8000) === 0 ? value << 1 : (value << 1) ^ 0x1021;
  return value & 0xffff;
});

/** CCITT, begun with 0x1D0F. */
export function packetCrc(bytes: Uint8Array): number {
  let crc = 0x1d0f;
  for (const byte of bytes) crc = ((crc << 8) & 0xffff) ^ (CRC_TABLE[(crc >> 8) ^ byte] ?? 0);
  return crc;
}

/** Collects what the line brings until a packet is whole. */
export class PacketCollector {
  #bytes: number[] = [];

  /** Whole packets from panels, in order; what is broken is dropped, as a device does. */
  feed(chunk: Uint8Array): readonly PanelPacket[] {
    const packets: PanelPacket[] = [];
    for (const byte of chunk) {
      if (this.#bytes.length === 0 && byte !== SOM) continue;
      this.#bytes.push(byte);
      const packet = this.#finish();
      if (packet !== undefined) packets.push(packet);
    }
    return packets;
  }

  #finish(): PanelPacket | undefined {
    if (this.#bytes.length < 4) return undefined;
    const length = (this.#bytes[2] ?? 0) + 256 * (this.#bytes[3] ?? 0);
    if (length > PACKET_MAX || length < 7) this.#bytes = [];
    if (this.#bytes.length < length) return undefined;
    const whole = Buffer.from(this.#bytes);
    this.#bytes = [];
    return parsePanelPacket(whole);
  }
}

function parsePanelPacket(whole: Buffer): PanelPacket | undefined {
  const [, address = 0, , , control = 0, blockLength = 0, blockType = 0] = whole;
  const check: PacketCheck = (control & CONTROL.crc) === 0 ? "checksum" : "crc";
  if (address > 0x7f || !isChecked(whole, check)) return undefined;
  const blockBytes = (control & CONTROL.block) === 0 ? 0 : blockLength;
  const macBytes = blockBytes > 0 && blockType >= FIRST_MAC_BLOCK ? 4 : 0;
  const codeAt = 5 + blockBytes;
  const dataEnd = whole.length - CHECK_BYTES[check] - macBytes;
  if (codeAt >= dataEnd) return undefined;
  return {
    address,
    sequence: control & CONTROL.sequence,
    check,
    block: blockBytes === 0 ? null : { type: blockType, data: whole.subarray(7, codeAt) },
    code: whole[codeAt] ?? 0,
    data: whole.subarray(codeAt + 1, dataEnd),
    mac: macBytes === 0 ? null : whole.subarray(dataEnd, dataEnd + macBytes),
    macInput: whole.subarray(0, dataEnd),
  };
}

function isChecked(whole: Buffer, check: PacketCheck): boolean {
  if (check === "crc") return packetCrc(whole.subarray(0, -2)) === whole.readUInt16LE(whole.length - 2);
  return whole.reduce((sum, byte) => sum + byte, 0) % 256 === 0;
}

/** The answer up to its MAC. */
export function answerHead(answer: DeviceAnswer): Buffer {
  const { address, sequence, check, block, code, data } = answer;
  const scb = block === null ? [] : [2 + block.data.length, block.type, ...block.data];
  const length = 5 + scb.length + 1 + data.length + (hasMac(answer) ? 4 : 0) + CHECK_BYTES[check];
  const control = sequence | (check === "crc" ? CONTROL.crc : 0) | (block === null ? 0 : CONTROL.block);
  return Buffer.from([SOM, address | 0x80, length % 256, length >> 8, control, ...scb, code, ...data]);
}

function hasMac({ block }: DeviceAnswer): boolean {
  return block !== null && block.type >= FIRST_MAC_BLOCK;
}

/** With MAC and check, ready for the line. */
export function sealPacket(head: Buffer, mac: Uint8Array, check: PacketCheck): Buffer {
  const body = Buffer.concat([head, mac]);
  if (check === "checksum") {
    const sum = body.reduce((total, byte) => total + byte, 0);
    return Buffer.concat([body, Buffer.from([(256 - (sum % 256)) % 256])]);
  }
  const crc = packetCrc(body);
  return Buffer.concat([body, Buffer.from([crc % 256, crc >> 8])]);
}
