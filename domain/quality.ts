/**
 * Names follow OPC UA status codes, so a cabinet's own verdict passes through unharmed.
 * `good/local-override`: the switch in the cabinet is on manual; the value is true, our command is not.
 */
export type UsableQuality =
  | "good"
  | "good/local-override"
  | "uncertain/last-usable-value"
  | "uncertain/engineering-units-exceeded";
export type BadQuality =
  `bad/${"no-communication" | "device-failure" | "sensor-failure" | "out-of-service" | "configuration-error" | "waiting-for-initial-data"}`;
export type Quality = UsableQuality | BadQuality;

/** Every quality in the order of its code in stored and sent blocks: append only. */
export const QUALITIES = [
  "good",
  "good/local-override",
  "uncertain/last-usable-value",
  "uncertain/engineering-units-exceeded",
  "bad/no-communication",
  "bad/device-failure",
  "bad/sensor-failure",
  "bad/out-of-service",
  "bad/configuration-error",
  "bad/waiting-for-initial-data",
] as const satisfies readonly Quality[];

/** Whether there is no value to go with it (OPC 10000-4 §7.11). */
export function isBad(quality: Quality): quality is BadQuality {
  return quality.startsWith("bad/");
}

/**
 * Why a quality is not `good`, in the order of its code in stored and sent blocks: append only.
 * The first is "no cause given".
 */
export const QUALITY_CAUSES = [
  "none",
  "timeout",
  "connection-lost",
  "malformed-reply",
  "refused-by-device",
  "unknown-address",
  "sentinel",
  "out-of-range",
  "field-host-down",
  "gateway-restarted",
  "device-report",
  /** The unit answers, but its probe says that it is another device than the profile describes. */
  "wrong-device",
  /** An event point: the unit answers, and nothing has happened since. */
  "no-event-yet",
] as const;
export type QualityCause = (typeof QUALITY_CAUSES)[number];
