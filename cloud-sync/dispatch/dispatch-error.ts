/** Why an order was not even taken down, or a wish about one can not be met; each ends in what to do. */
export const DISPATCH_FAULTS = {
  "id-taken": "another order has this commandId: leave it out, or make a new UUIDv7",
  "unknown-command": "there is no such command: see the list of commands",
  "already-sent": "it left for the gateway, or is over, and can not be called back: give the opposite order",
  "not-unknown": "only a command whose outcome is unknown can be resolved, and only once",
  "life-too-long": "give a shorter ttlMs",
  "too-many-open": "too many commands are not over yet: cancel some, or wait",
} as const;
export type DispatchFaultCode = keyof typeof DISPATCH_FAULTS;

export class DispatchError extends Error {
  override readonly name = "DispatchError";
  readonly code: DispatchFaultCode;
  constructor(code: DispatchFaultCode, message: string) {
    super(`${message}: ${DISPATCH_FAULTS[code]}`);
    this.code = code;
  }
}
