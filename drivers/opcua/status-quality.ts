import type { BadQuality, UsableQuality } from "../../domain/quality.ts";

/** What a status code says of the value that it came with; `unknown-node`: there is no such value, the profile is wrong. */
export type StatusVerdict =
  | { readonly kind: "usable"; readonly quality: UsableQuality }
  | { readonly kind: "bad"; readonly quality: BadQuality }
  | { readonly kind: "unknown-node" };

/** OPC 10000-8 §6.3 and OPC 10000-4 §7.39.2: codes that mean more than the severity in their two highest bits. */
const BY_CODE: ReadonlyMap<number, StatusVerdict> = new Map([
  // GoodLocalOverride
  [0x00960000, usable("good/local-override")],
  // UncertainEngineeringUnitsExceeded
  [0x40940000, usable("uncertain/engineering-units-exceeded")],
  // BadNodeIdInvalid, BadNodeIdUnknown, BadAttributeIdInvalid, BadIndexRangeInvalid, BadNotReadable
  [0x80330000, { kind: "unknown-node" }],
  [0x80340000, { kind: "unknown-node" }],
  [0x80350000, { kind: "unknown-node" }],
  [0x80360000, { kind: "unknown-node" }],
  [0x803a0000, { kind: "unknown-node" }],
  // BadConfigurationError, BadUserAccessDenied
  [0x80890000, bad("bad/configuration-error")],
  [0x801f0000, bad("bad/configuration-error")],
  // BadNotConnected, BadNoCommunication
  [0x808a0000, bad("bad/no-communication")],
  [0x80310000, bad("bad/no-communication")],
  // BadSensorFailure, BadOutOfService, BadWaitingForInitialData
  [0x808c0000, bad("bad/sensor-failure")],
  [0x808d0000, bad("bad/out-of-service")],
  [0x80320000, bad("bad/waiting-for-initial-data")],
]);

/** The lower 16 bits tell of limits, overflow and structure, not of trust (OPC 10000-4 §7.39.1). */
export function judgeStatus(code: number): StatusVerdict {
  const known = BY_CODE.get((code & 0xffff_0000) >>> 0);
  if (known !== undefined) return known;
  switch (code >>> 30) {
    case 0:
      return usable("good");
    case 1:
      // All other uncertain codes say that the value is not what the sensor says now: last usable, initial, substitute, sub-normal.
      return usable("uncertain/last-usable-value");
    default:
      return bad("bad/device-failure");
  }
}

function usable(quality: UsableQuality): StatusVerdict {
  return { kind: "usable", quality };
}

function bad(quality: BadQuality): StatusVerdict {
  return { kind: "bad", quality };
}
