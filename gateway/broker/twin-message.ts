import type { PointNumber, SiteId } from "../../domain/ids.ts";
import type { StoredReading } from "../../domain/reading.ts";
import type { PointOfDevice } from "../site/site.ts";
import { reportedWithin, topicOf } from "./topics.ts";

export interface TwinMessage {
  readonly topic: string;
  readonly payload: string;
}

export interface TwinSource {
  readonly siteId: SiteId;
  readonly findPoint: (number: PointNumber) => PointOfDevice | undefined;
}

/** `undefined`: the site has the point no more. */
export function twinMessage(
  reading: StoredReading,
  { siteId, findPoint }: TwinSource,
): TwinMessage | undefined {
  const found = findPoint(reading.point);
  if (found === undefined) return undefined;
  const { id, definition } = found.point;
  return { topic: topicOf(siteId, "reported", id), payload: payloadOf(reading, definition.unit) };
}

/**
 * The twins that a subscription to these filters sees as retained messages, made as they are asked for: a copy of each
 * as a message, kept for a subscriber who never comes, took more memory and time than all else in a large gateway.
 */
export function* retainedTwins(
  filters: readonly string[],
  source: TwinSource & { readonly latestAll: () => Iterable<StoredReading> },
): Generator<TwinMessage> {
  for (const filter of filters) {
    const within = reportedWithin(filter);
    if (within === undefined) continue;
    for (const reading of source.latestAll()) {
      const id = source.findPoint(reading.point)?.point.id;
      const message = id !== undefined && within(id) ? twinMessage(reading, source) : undefined;
      if (message !== undefined) yield message;
    }
  }
}

/** The reading with its quality and age, never the value alone. */
function payloadOf(reading: StoredReading, unit: string): string {
  const value = JSON.stringify(reading.value);
  const source = reading.sourceTimestamp ?? reading.gatewayTimestamp;
  return `{"value":${value},"unit":${JSON.stringify(unit)},"quality":"${reading.quality}","cause":"${reading.cause}","sourceTimestampMs":${source},"gatewayTimestampMs":${reading.gatewayTimestamp},"stateVersion":${reading.stateVersion}}`;
}
