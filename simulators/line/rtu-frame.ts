import type { FaultSpec } from "../modbus/fault-plan.ts";

/** MODBUS over Serial Line V1.02 §2.5.1.2 and appendix B, bit by bit as the text has it: shared with no product. */
export function crcOf(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  return crc;
}

/** Unit, PDU, CRC with its low byte first. */
export function encodeRtu(unit: number, pdu: Uint8Array): Buffer {
  const body = Buffer.from([unit, ...pdu]);
  const crc = crcOf(body);
  return Buffer.from([...body, crc & 0xff, crc >> 8]);
}

/** `undefined`: too short or too long for a frame, or its checksum is wrong. */
export function decodeRtu(bytes: Buffer): { readonly unit: number; readonly pdu: Buffer } | undefined {
  if (bytes.length < 4 || bytes.length > 256) return undefined;
  const body = bytes.subarray(0, -2);
  if (crcOf(body) !== bytes.readUInt16LE(bytes.length - 2)) return undefined;
  return { unit: body.readUInt8(0), pdu: body.subarray(1) };
}

/** The bytes that go out instead of a right answer. Of what it says, only what the fault names is wrong. */
export function distortedRtu(unit: number, pdu: Buffer, kind: FaultSpec["kind"]): Buffer {
  switch (kind) {
    case "wrong-unit":
      return encodeRtu(unit ^ 1, pdu);
    case "wrong-function":
      // A function that exists, so that only a check against the request can tell.
      return encodeRtu(unit, Buffer.from([pdu.readUInt8(0) === 3 ? 4 : 3, ...pdu.subarray(1)]));
    case "short-frame":
      return encodeRtu(unit, pdu).subarray(0, -3);
    case "garbage":
      return Buffer.from("fffefdfc00ff5a5aa5a5", "hex");
    default:
      return encodeRtu(unit, pdu);
  }
}
