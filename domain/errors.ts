import type { BadQuality } from "./quality.ts";

export type FaultCode = keyof typeof FAULTS;
/** Every way a device can fail us and what it means. A new code is a new row; no reader changes. */
export const FAULTS = {
  timeout: { quality: "bad/no-communication", retry: "soon" },
  "connection-lost": { quality: "bad/no-communication", retry: "after-reconnect" },
  "malformed-reply": { quality: "bad/no-communication", retry: "soon" },
  "refused-by-device": { quality: "bad/device-failure", retry: "never" },
  "unknown-address": { quality: "bad/configuration-error", retry: "never" },
} as const satisfies Record<string, { quality: BadQuality; retry: "soon" | "after-reconnect" | "never" }>;

/** The only error that may leave a driver, besides the abort reason. The library's own is `cause`. */
export class DeviceFault extends Error {
  override readonly name = "DeviceFault";
  readonly code: FaultCode;
  constructor(code: FaultCode, message: string, options?: { readonly cause: unknown }) {
    super(`${message} (${code})`, options);
    this.code = code;
  }
}
