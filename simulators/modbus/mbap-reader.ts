/** MODBUS Messaging on TCP/IP V1.0b §3.1.3: transaction, protocol, length (2 bytes each), unit. */
const MBAP_BYTES = 7;
/** Largest PDU, function code included (Modbus V1.1b3 §4.1). */
const MAX_PDU_BYTES = 253;

export interface ModbusFrame {
  readonly transaction: number;
  readonly unit: number;
  /** Function code and data; a view of the received bytes, valid until the next `push`. */
  readonly pdu: Buffer;
}

const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Cuts a byte stream into Modbus TCP frames. Holds at most one incomplete frame (259 bytes)
 * and what `push` was given but `next` has not taken yet.
 */
export class MbapReader {
  #held: Buffer = NOTHING;

  push(chunk: Buffer): void {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
  }

  /** The next whole frame; `incomplete` when more bytes are needed; `broken` when the stream can not be trusted any more. */
  next(): ModbusFrame | "incomplete" | "broken" {
    const held = this.#held;
    if (held.length < 6) return "incomplete";
    // The header alone decides: waiting for a body of 65,535 bytes would be waiting for ever.
    const length = held.readUInt16BE(4);
    if (held.readUInt16BE(2) !== 0 || length < 2 || length > MAX_PDU_BYTES + 1) return "broken";
    const end = 6 + length;
    if (held.length < end) return "incomplete";
    this.#held = held.length === end ? NOTHING : held.subarray(end);
    return {
      transaction: held.readUInt16BE(0),
      unit: held.readUInt8(6),
      pdu: held.subarray(MBAP_BYTES, end),
    };
  }
}

/** One frame, ready to send. */
export function encodeFrame(frame: {
  readonly transaction: number;
  readonly unit: number;
  readonly pdu: Buffer;
}): Buffer {
  const bytes = Buffer.allocUnsafe(MBAP_BYTES + frame.pdu.length);
  bytes.writeUInt16BE(frame.transaction, 0);
  bytes.writeUInt16BE(0, 2);
  bytes.writeUInt16BE(frame.pdu.length + 1, 4);
  bytes.writeUInt8(frame.unit, 6);
  frame.pdu.copy(bytes, MBAP_BYTES);
  return bytes;
}
