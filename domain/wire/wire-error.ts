/** Why something that arrived could not be taken; decides whether a record, a batch or a connection is refused. */
export const WIRE_FAULTS = {
  truncated: "fewer bytes than its lengths promise",
  "bad-length": "lengths and counts that do not agree",
  "bad-crc": "the checksum does not match: bytes were changed on the way or on the disk",
  "bad-schema": "a field is missing, of the wrong type or out of range",
  "unknown-version": "a schema major this side does not know",
  "unknown-kind": "a record kind this side does not know",
  "too-large": "more bytes or records than the limit",
  "bad-codec": "compressed in a way this side can not undo",
} as const;
export type WireFaultCode = keyof typeof WIRE_FAULTS;

/** Thrown by every decoder of `domain/wire`, with the place inside. */
export class WireError extends Error {
  override readonly name = "WireError";
  readonly code: WireFaultCode;
  constructor(code: WireFaultCode, message: string, options?: { readonly cause: unknown }) {
    super(`${message}: ${WIRE_FAULTS[code]} (${code})`, options);
    this.code = code;
  }
}
