/** What stands before the end of a frame and guards all between the start and itself. */
export const CHECKSUMS = ["xor-hex", "sum-hex", "sum-byte", "crc16-hex"] as const;
export type ChecksumRule = (typeof CHECKSUMS)[number];

/** Bytes that it takes in the frame. */
export const CHECKSUM_BYTES: Readonly<Record<ChecksumRule, number>> = {
  "xor-hex": 2,
  "sum-hex": 2,
  "sum-byte": 1,
  "crc16-hex": 4,
};

/** `-hex`: as upper-case hexadecimal digits. `xor`: NMEA 0183's; `sum`: modulo 256; `crc16`: Modbus', high byte first. */
export function checksumOf(rule: ChecksumRule, body: Uint8Array): Buffer {
  switch (rule) {
    case "xor-hex":
      return hexOf(
        body.reduce((sum, byte) => sum ^ byte, 0),
        2,
      );
    case "sum-hex":
      return hexOf(
        body.reduce((sum, byte) => (sum + byte) & 0xff, 0),
        2,
      );
    case "sum-byte":
      return Buffer.from([body.reduce((sum, byte) => (sum + byte) & 0xff, 0)]);
    default:
      return hexOf(crc16(body), 4);
  }
}

/** Whether the frame's own is right; devices write hexadecimal digits in either case. */
export function isChecksumRight(rule: ChecksumRule, body: Uint8Array, told: Buffer): boolean {
  const right = checksumOf(rule, body);
  if (rule === "sum-byte") return right.equals(told);
  return right.toString("latin1") === told.toString("latin1").toUpperCase();
}

function hexOf(value: number, digits: number): Buffer {
  return Buffer.from(value.toString(16).toUpperCase().padStart(digits, "0"), "latin1");
}

/** Polynomial 0xA001 reflected, start value 0xFFFF. */
function crc16(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >> 1) ^ ((crc & 1) === 0 ? 0 : 0xa001);
  }
  return crc;
}
