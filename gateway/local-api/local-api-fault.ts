/** Every way a request can be refused: its HTTP status and what to do. */
export const LOCAL_API_FAULTS = {
  "bad-request": { status: 400, remedy: "mend what the pointer names; see docs/cli.md" },
  "unknown-device": { status: 404, remedy: "list the devices with `nerve devices`" },
  "unknown-point": { status: 404, remedy: "list the device's points with `nerve devices DEVICE`" },
  "unknown-command": { status: 404, remedy: "list the latest commands with `nerve commands`" },
  "unknown-route": {
    status: 404,
    remedy: "see docs/cli.md for the routes; nerve and gateway may differ in version",
  },
  "not-readable": {
    status: 409,
    remedy: "read the members of the group, or the points that `nerve devices DEVICE` lists",
  },
  busy: { status: 429, remedy: "try again in a moment" },
  "shutting-down": { status: 503, remedy: "start the gateway again, then ask" },
  "store-unavailable": { status: 503, remedy: "check space and the disk, see `nerve status`" },
  internal: { status: 500, remedy: "see the gateway's log" },
} as const;
export type LocalApiFaultCode = keyof typeof LOCAL_API_FAULTS;

/** A request that is refused: told to the client with its code and status. */
export class LocalApiFault extends Error {
  override readonly name = "LocalApiFault";
  readonly code: LocalApiFaultCode;
  readonly pointer: string | undefined;

  constructor(
    code: LocalApiFaultCode,
    what: string,
    options: { readonly pointer?: string; readonly cause?: unknown } = {},
  ) {
    super(`${what}: ${LOCAL_API_FAULTS[code].remedy}`, { cause: options.cause });
    this.code = code;
    this.pointer = options.pointer;
  }
}
