import { isBad } from "../domain/quality.ts";
import type { PointChange } from "../domain/reading.ts";
import type { Clock } from "../domain/time.ts";
import type { TelemetryStore } from "./store/store.ts";

/**
 * What the store remembers of the last run was true then. Until the field has read a point again its value is told
 * as the last usable one, so that nobody takes a lamp for lit because it was before the power cut.
 */
export function doubtLastRun(telemetry: Pick<TelemetryStore, "latestAll" | "accept">, clock: Clock): void {
  const doubtful: PointChange[] = [];
  const now = clock.now();
  for (const reading of telemetry.latestAll()) {
    if (isBad(reading.quality) || reading.quality === "uncertain/last-usable-value") continue;
    const { point, value, sourceTimestamp, gatewayTimestamp } = reading;
    doubtful.push({
      point,
      value,
      quality: "uncertain/last-usable-value",
      cause: "gateway-restarted",
      gatewayTimestamp: now,
      // When the value was really taken stays visible.
      sourceTimestamp: sourceTimestamp ?? gatewayTimestamp,
    });
  }
  telemetry.accept(doubtful);
}
