import { DeviceFault, type FaultCode } from "../../domain/errors.ts";

/**
 * What an exception answer means for us: MODBUS Application Protocol V1.1b3 §7, table of exception codes.
 * A code that the table lacks is a refusal.
 */
export const EXCEPTION_FAULTS: ReadonlyMap<number, { readonly fault: FaultCode; readonly why: string }> =
  new Map([
    [
      1,
      {
        fault: "refused-by-device",
        why: "ILLEGAL FUNCTION: the unit has no such function; other places fare no better",
      },
    ],
    [
      2,
      {
        fault: "unknown-address",
        why: "ILLEGAL DATA ADDRESS: a place of the block is not in the unit's map",
      },
    ],
    [3, { fault: "refused-by-device", why: "ILLEGAL DATA VALUE: the unit takes no such value or count" }],
    [4, { fault: "refused-by-device", why: "SERVER DEVICE FAILURE: the unit failed while it did it" }],
    [5, { fault: "timeout", why: "ACKNOWLEDGE: taken on, not done yet; what came of it is unknown" }],
    [6, { fault: "timeout", why: "SERVER DEVICE BUSY: the unit asks to be asked again later" }],
    [8, { fault: "refused-by-device", why: "MEMORY PARITY ERROR: the unit can not trust its own memory" }],
    [
      10,
      {
        fault: "timeout",
        why: "GATEWAY PATH UNAVAILABLE: the gateway before the unit has no line to it, or too much to do",
      },
    ],
    [
      11,
      {
        fault: "timeout",
        why: "GATEWAY TARGET DEVICE FAILED TO RESPOND: the unit behind the gateway is silent",
      },
    ],
  ]);

/** Whatever modbus-serial calls back with, some of it no `Error`, as the only error that may leave a driver. */
export function faultOf(error: unknown, label: string): DeviceFault {
  if (error instanceof DeviceFault) return error;
  const code = exceptionCodeOf(error);
  if (code !== undefined) {
    const { fault, why } = EXCEPTION_FAULTS.get(code) ?? {
      fault: "refused-by-device",
      why: "an exception of its own",
    };
    return new DeviceFault(fault, label, { cause: new Error(`exception ${code}, ${why}`, { cause: error }) });
  }
  const cause = error instanceof Error ? error : new Error(textOf(error), { cause: error });
  return new DeviceFault(isNotOpen(error) ? "connection-lost" : "malformed-reply", label, { cause });
}

function exceptionCodeOf(error: unknown): number | undefined {
  const isOne = error instanceof Error && "modbusCode" in error && typeof error.modbusCode === "number";
  return isOne ? Number(error.modbusCode) : undefined;
}

function textOf(error: unknown): string {
  const hasMessage = typeof error === "object" && error !== null && "message" in error;
  return hasMessage ? String(error.message) : String(error);
}

function isNotOpen(error: unknown): boolean {
  return typeof error === "object" && error !== null && "name" in error && error.name === "PortNotOpenError";
}
