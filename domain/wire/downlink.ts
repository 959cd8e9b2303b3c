import { type KeyObject, sign, verify } from "node:crypto";
import { z } from "zod";
import { readFrame } from "./fresh-read.ts";
import { parseMessage } from "./parse-json.ts";

/**
 * Center → gateway: one streamed answer of `GET /sync/v1/downlink?session=…`, a JSON message a line, at most
 * 256 KiB a line. A heartbeat goes every 5 s.
 */
export const DOWNLINK_LINE_MAX_BYTES = 256 * 1024;

const pointValue = z.union([z.number(), z.boolean(), z.string().max(4_096)]);
const commandFrame = z.object({
  kind: z.literal("command"),
  /** Signed with all else below it; the gateway refuses what was signed for another. */
  gatewayId: z.string().max(64),
  /** UUIDv7 in lower case. */
  commandId: z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
  pointId: z.string().max(129),
  action: z.enum(["write", "select", "operate"]),
  value: pointValue,
  args: z.array(pointValue).max(16),
  commandClass: z.enum(["K1", "K2", "K3"]),
  /** Order of commands to this point: an older one never acts after a newer (I23). */
  sequence: z.object({ generation: z.number().int().min(0), counter: z.number().int().min(1) }),
  session: z.string().max(31),
  /** Newest token the center had from this gateway. */
  token: z.string().regex(/^[0-9a-f]{32}$/),
  /** The gateway acts only while the token is younger than this. */
  budgetMs: z.number().int().min(0).max(86_400_000),
  requester: z.string().max(200),
  approvals: z.array(z.string().max(200)).max(8),
  policyVersion: z.string().max(32),
  /** Names of things the gateway must understand, or refuse the order as `unsupported`. */
  crit: z.array(z.string().max(64)).max(16),
  /** Ed25519 by the command authority over `commandSignedBytes`, base64. */
  signature: z.string().max(200),
});
/** An order to a gateway. Signed when it is sent, never stored in any transport. */
export type CommandFrame = z.infer<typeof commandFrame>;

const downlinkMessage = z.discriminatedUnion("kind", [
  z.looseObject({ kind: z.literal("heartbeat"), centerTimeMs: z.number() }),
  commandFrame,
  readFrame,
  /** The center ends this session; the gateway says HELLO again after its back-off. */
  z.looseObject({ kind: z.literal("closing"), reason: z.string().max(200) }),
]);
export type DownlinkMessage = z.infer<typeof downlinkMessage>;

/** @throws {WireError} with the pointer of the first thing wrong. */
export function parseDownlinkLine(line: string): DownlinkMessage {
  let data: unknown = null;
  try {
    data = JSON.parse(line);
  } catch {
    data = null;
  }
  return parseMessage("downlink line", downlinkMessage, data);
}

/** Every bound field in fixed order; a field that is added joins at the end under a new version. */
export function commandSignedBytes(frame: Omit<CommandFrame, "signature">): Uint8Array {
  return Buffer.from(
    JSON.stringify([
      "nerve-command:v1",
      frame.commandId,
      frame.gatewayId,
      frame.pointId,
      frame.action,
      frame.value,
      frame.args,
      frame.commandClass,
      frame.sequence.generation,
      frame.sequence.counter,
      frame.session,
      frame.token,
      frame.budgetMs,
      frame.approvals,
      frame.requester,
      frame.policyVersion,
      frame.crit,
    ]),
  );
}

/** Signed by the command-authority key (Ed25519), which the transport tier does not hold (I31). */
export function signCommand(frame: Omit<CommandFrame, "signature">, key: KeyObject): CommandFrame {
  return { ...frame, signature: sign(null, commandSignedBytes(frame), key).toString("base64") };
}

export function isCommandSignatureValid(frame: CommandFrame, authority: KeyObject): boolean {
  return verify(null, commandSignedBytes(frame), authority, Buffer.from(frame.signature, "base64"));
}
