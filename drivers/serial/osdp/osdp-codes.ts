/** What a panel asks: SIA OSDP 2.2 (IEC 60839-11-5), table of commands. Only those that the panel role uses. */
export const COMMAND = {
  poll: 0x60,
  identify: 0x61,
  capabilities: 0x62,
  localStatus: 0x64,
  inputStatus: 0x65,
  outputStatus: 0x66,
  readerStatus: 0x67,
  output: 0x68,
  led: 0x69,
  buzzer: 0x6a,
  keySet: 0x75,
  challenge: 0x76,
  serverCryptogram: 0x77,
} as const;

/** What a unit answers: the same source, table of replies. */
export const REPLY = {
  ack: 0x40,
  nak: 0x41,
  identification: 0x45,
  capabilities: 0x46,
  localStatus: 0x48,
  inputStatus: 0x49,
  outputStatus: 0x4a,
  readerStatus: 0x4b,
  card: 0x50,
  keypad: 0x53,
  clientCryptogram: 0x76,
  initialMac: 0x78,
  busy: 0x79,
} as const;

/** Types of a security block: who sends it, and what it protects. */
export const SECURITY = {
  challenge: 0x11,
  clientCryptogram: 0x12,
  serverCryptogram: 0x13,
  initialMac: 0x14,
  commandSigned: 0x15,
  replySigned: 0x16,
  commandSealed: 0x17,
  replySealed: 0x18,
} as const;

/** Why a unit refused: the first byte of a NAK, for people. */
export const NAK_REASONS: ReadonlyMap<number, string> = new Map([
  [0x01, "the checksum, CRC or MAC was wrong"],
  [0x02, "the command had a wrong length"],
  [0x03, "the unit does not know the command"],
  [0x04, "the sequence number was out of order"],
  [0x05, "the unit does not support this security block"],
  [0x06, "the unit wants a secure channel"],
  [0x07, "the unit does not support this biometric type"],
  [0x08, "the unit does not support this biometric format"],
  [0x09, "the unit can not process the command"],
]);
/** The NAKs after which sequence and secure channel begin anew. */
export const NAK_OUT_OF_STEP: ReadonlySet<number> = new Set([0x01, 0x04, 0x05, 0x06]);
export const NAK_UNKNOWN_COMMAND = 0x03;
