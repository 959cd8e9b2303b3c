import type { StatusCode } from "node-opcua-client";
import { DeviceFault, type FaultCode } from "../../domain/errors.ts";

/** The session or the channel is gone: only a new connection helps (OPC 10000-4 §7.39.2). */
const LOSSES: ReadonlySet<string> = new Set([
  "BadSessionIdInvalid",
  "BadSessionClosed",
  "BadSessionNotActivated",
  "BadSecureChannelIdInvalid",
  "BadSecureChannelClosed",
  "BadSecureChannelTokenUnknown",
  "BadConnectionClosed",
  "BadNotConnected",
  "BadServerHalted",
  "BadShutdown",
  "BadNoSubscription",
  "BadSubscriptionIdInvalid",
]);
/** The server has no time for us now. */
const PAUSES: ReadonlySet<string> = new Set([
  "BadTimeout",
  "BadRequestTimeout",
  "BadTooManyOperations",
  "BadTcpServerTooBusy",
  "BadResourceUnavailable",
  "BadOutOfMemory",
]);
const UNKNOWN: ReadonlySet<string> = new Set([
  "BadNodeIdUnknown",
  "BadNodeIdInvalid",
  "BadAttributeIdInvalid",
  "BadMethodInvalid",
]);

/** A status that refuses a write or a call, as a fault with its name. */
export function faultOfStatus(status: StatusCode, label: string): DeviceFault {
  const code: FaultCode = UNKNOWN.has(status.name) ? "unknown-address" : "refused-by-device";
  return new DeviceFault(code, label, { cause: new Error(`${status.name}: ${status.description}`) });
}

/** Whatever the library rejects with, as the only error that may leave a driver. */
export function faultOfError(error: unknown, label: string): DeviceFault {
  if (error instanceof DeviceFault) return error;
  const status = serviceResultOf(error);
  const cause = error instanceof Error ? error : new Error(String(error));
  if (status === undefined)
    return new DeviceFault(isDecoding(cause) ? "malformed-reply" : "connection-lost", label, { cause });
  if (LOSSES.has(status)) return new DeviceFault("connection-lost", label, { cause: new Error(status) });
  const code: FaultCode = PAUSES.has(status)
    ? "timeout"
    : UNKNOWN.has(status)
      ? "unknown-address"
      : "refused-by-device";
  return new DeviceFault(code, label, { cause: new Error(status) });
}

/** The name in a ServiceFault: the server answered, and this is why not. */
export function serviceResultOf(error: unknown): string | undefined {
  const response = memberOf(error, "response");
  const name = memberOf(memberOf(memberOf(response, "responseHeader"), "serviceResult"), "name");
  return typeof name === "string" ? name : undefined;
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}

/** The library throws what it stumbles over as it comes. */
function isDecoding(error: Error): boolean {
  if (error instanceof TypeError || error instanceof RangeError) return true;
  return /decod|invalid (message|chunk|type)|unexpected response/i.test(error.message);
}
