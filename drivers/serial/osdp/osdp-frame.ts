/**
 * One OSDP frame: SIA OSDP 2.2 §5.9. Start byte, address (bit 7: from the unit), length LE over everything, control
 * (bits 0-1 sequence, bit 2 CRC, bit 3 security block), security block, code, data, MAC, CRC LE or checksum.
 */
export interface OsdpFrame {
  /** 0 … 126. */
  readonly address: number;
  readonly from: "panel" | "unit";
  /** 0 begins a conversation; then 1, 2, 3, 1 … */
  readonly sequence: number;
  /** Command or reply code. */
  readonly code: number;
  readonly data: Uint8Array;
  /** Absent: the frame is in clear. */
  readonly security?: SecurityBlock;
  /** First 4 bytes of the message authentication code; only under {@link SECURITY} signed and sealed types. */
  readonly mac?: Uint8Array;
}

export interface SecurityBlock {
  readonly type: number;
  readonly data: Uint8Array;
}

export const START = 0x53;
export const MAC_BYTES = 4;
/** §5.9: a receiver may limit frames to 1440 bytes. */
export const FRAME_BYTES_MAX = 1_440;
/** Start, address, length, control, code, checksum. */
export const FRAME_BYTES_MIN = 7;
const HEADER_BYTES = 5;
const CRC_BYTES = 2;
const REPLY_FLAG = 0x80;
const ADDRESS_MASK = 0x7f;
const CONTROL_CRC = 0x04;
const CONTROL_SECURITY = 0x08;
/** Types from this on carry a MAC. */
const FIRST_SIGNED_TYPE = 0x15;

/** CRC-16 of OSDP §5.9: polynomial 0x1021, start value 0x1D0F, no reflection. */
export function osdpCrc(bytes: Uint8Array): number {
  let crc = 0x1d0f;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = ((crc << 1) ^ ((crc & 0x8000) !== 0 ? 0x1021 : 0)) & 0xffff;
  }
  return crc;
}

/** The frame up to its MAC, whose length the header tells already: what a MAC is computed over. */
export function encodeUnsigned(frame: Omit<OsdpFrame, "mac">): Buffer {
  const { address, from, sequence, code, data, security } = frame;
  const block = security === undefined ? [] : [2 + security.data.length, security.type, ...security.data];
  const body = Buffer.from([...block, code, ...data]);
  const length = HEADER_BYTES + body.length + (isSigned(security) ? MAC_BYTES : 0) + CRC_BYTES;
  if (length > FRAME_BYTES_MAX)
    throw new RangeError(`an OSDP frame of ${length} bytes, at most ${FRAME_BYTES_MAX}`);
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt8(START, 0);
  head.writeUInt8(address | (from === "unit" ? REPLY_FLAG : 0), 1);
  head.writeUInt16LE(length, 2);
  head.writeUInt8(sequence | CONTROL_CRC | (security === undefined ? 0 : CONTROL_SECURITY), 4);
  return Buffer.concat([head, body]);
}

/** With its CRC, ready for the line; `mac`: where the security block wants one. */
export function encodeFrame(unsigned: Uint8Array, mac: Uint8Array = new Uint8Array()): Buffer {
  const frame = Buffer.concat([unsigned, mac.subarray(0, MAC_BYTES), Buffer.alloc(CRC_BYTES)]);
  frame.writeUInt16LE(osdpCrc(frame.subarray(0, -CRC_BYTES)), frame.length - CRC_BYTES);
  return frame;
}

/** Whether frames with this security block end in a MAC. */
export function isSigned(security: SecurityBlock | undefined): boolean {
  return security !== undefined && security.type >= FIRST_SIGNED_TYPE;
}

/** An intact frame as it came. */
export interface SoundFrame {
  readonly frame: OsdpFrame;
  /** All before the MAC: what it was computed over. */
  readonly signedBytes: Uint8Array;
}
/** Or what is wrong with it. */
export type DecodedFrame = SoundFrame | { readonly defect: string };

/** `bytes`: exactly one frame by its own length field. Accepts CRC and checksum. */
export function decodeFrame(bytes: Buffer): DecodedFrame {
  if (bytes.length < FRAME_BYTES_MIN || bytes[0] !== START) return { defect: "no OSDP frame" };
  if (bytes.readUInt16LE(2) !== bytes.length) return { defect: "another length than the frame tells" };
  const control = bytes.readUInt8(4);
  const trailer = (control & CONTROL_CRC) === 0 ? 1 : CRC_BYTES;
  if (!isIntact(bytes, trailer)) return { defect: trailer === 1 ? "wrong checksum" : "wrong CRC" };
  const body = bytes.subarray(HEADER_BYTES, -trailer);
  const block = (control & CONTROL_SECURITY) === 0 ? undefined : blockOf(body);
  if (block === "misfit") return { defect: "a security block that does not fit" };
  return splitBody(bytes, { body, block, sequence: control & 0x03 });
}

/** What follows the header. */
function splitBody(
  bytes: Buffer,
  {
    body,
    block,
    sequence,
  }: { readonly body: Buffer; readonly block: WholeBlock | undefined; readonly sequence: number },
): DecodedFrame {
  const macBytes = isSigned(block?.security) ? MAC_BYTES : 0;
  const inner = body.subarray(block?.length ?? 0, body.length - macBytes);
  const [code] = inner;
  if (code === undefined) return { defect: "no room for a code" };
  const told = bytes.readUInt8(1);
  const frame: OsdpFrame = {
    address: told & ADDRESS_MASK,
    from: (told & REPLY_FLAG) === 0 ? "panel" : "unit",
    sequence,
    code,
    data: inner.subarray(1),
    ...(block !== undefined && { security: block.security }),
    ...(macBytes > 0 && { mac: body.subarray(-macBytes) }),
  };
  return { frame, signedBytes: bytes.subarray(0, HEADER_BYTES + body.length - macBytes) };
}

interface WholeBlock {
  readonly length: number;
  readonly security: SecurityBlock;
}

function blockOf(body: Buffer): WholeBlock | "misfit" {
  const [length = 0, type = 0] = body;
  if (length < 2 || length >= body.length) return "misfit";
  return { length, security: { type, data: body.subarray(2, length) } };
}

function isIntact(bytes: Buffer, trailer: number): boolean {
  const body = bytes.subarray(0, -trailer);
  if (trailer === CRC_BYTES) return osdpCrc(body) === bytes.readUInt16LE(bytes.length - CRC_BYTES);
  let sum = 0;
  for (const byte of bytes) sum = (sum + byte) & 0xff;
  return sum === 0;
}
