import type { FaultSpec } from "./fault-plan.ts";

const UNIT_AT = 6;
const FUNCTION_AT = 7;
const LENGTH_AT = 4;

/** The bytes that go out instead of `answer`, one whole frame. Of what it says, only what the fault names is wrong. */
export function distortedAnswer(answer: Buffer, kind: FaultSpec["kind"]): Buffer {
  const bytes = Buffer.from(answer);
  switch (kind) {
    case "wrong-unit":
      bytes.writeUInt8(bytes.readUInt8(UNIT_AT) ^ 1, UNIT_AT);
      return bytes;
    case "wrong-function":
      // A function that exists, so that only a check against the request can tell.
      bytes.writeUInt8(bytes.readUInt8(FUNCTION_AT) === 3 ? 4 : 3, FUNCTION_AT);
      return bytes;
    case "short-frame":
      // The framing still holds: the PDU lacks its last byte, and the header says so.
      bytes.writeUInt16BE(bytes.readUInt16BE(LENGTH_AT) - 1, LENGTH_AT);
      return bytes.subarray(0, -1);
    case "garbage":
      return Buffer.from("fffefdfc00ff5a5aa5a5", "hex");
    default:
      return bytes;
  }
}
