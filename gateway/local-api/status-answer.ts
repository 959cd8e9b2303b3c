import type { SitePoint } from "../../domain/point.ts";
import { isBad, type Quality } from "../../domain/quality.ts";
import { since } from "../../domain/time.ts";
import type { BusAnswer, LinkAnswer, PointCounts, StatusAnswer, StoreAnswer } from "./client/answers.ts";
import type { LocalApiParts } from "./local-api-parts.ts";
import { isReadable } from "./point-answer.ts";

/** How the whole gateway does. */
export function statusAnswer(parts: LocalApiParts): StatusAnswer {
  const { site, store, clock, software } = parts;
  const { rss, heapUsed } = process.memoryUsage();
  return {
    gatewayId: site.gatewayId,
    site: { id: site.siteId, name: site.name },
    software,
    incarnation: store.incarnation,
    pid: process.pid,
    uptimeMs: Math.round(since(store.openedAt, clock.uptime())),
    center: site.center?.url ?? null,
    link: linkAnswer(parts),
    broker: parts.broker(),
    devices: site.devices.length,
    points: countPoints(parts),
    buses: busAnswers(parts),
    fieldHosts: parts.fieldHosts(),
    store: storeAnswer(store),
    memory: { rssBytes: rss, heapUsedBytes: heapUsed },
  };
}

function storeAnswer(store: LocalApiParts["store"]): StoreAnswer {
  const { pressure, critical, telemetry, detail, ballastReleased, unstored } = store.health();
  const files = [critical, telemetry];
  return {
    ...store.sync.disk(),
    pressure,
    access: files.includes("read-only") ? "read-only" : files.includes("failing") ? "failing" : "read-write",
    fault: detail,
    ...{ ballastReleased, unstored },
    backlog: store.sync.backlog(),
    findings: store.findings,
  };
}

function linkAnswer({ link, clock }: LocalApiParts): LinkAnswer | null {
  if (link === null) return null;
  const { phase, session, since: from, detail } = link();
  return { phase, session, sinceMs: Math.max(0, Math.round(since(from, clock.uptime()))), detail };
}

function countPoints({ site, store }: LocalApiParts): PointCounts {
  const counts = { total: 0, good: 0, uncertain: 0, bad: 0 };
  const count = (point: SitePoint): void => {
    counts.total += 1;
    counts[gradeOf(store.telemetry.latest(point.number)?.quality ?? "bad/waiting-for-initial-data")] += 1;
  };
  for (const device of site.devices) device.points.filter(isReadable).forEach(count);
  return counts;
}

function gradeOf(quality: Quality): "good" | "uncertain" | "bad" {
  if (isBad(quality)) return "bad";
  return quality.startsWith("good") ? "good" : "uncertain";
}

/** Every bus of the site, told or not. */
export function busAnswers({ site, figures, fieldHosts }: LocalApiParts): readonly BusAnswer[] {
  const told = new Map(figures().map((each) => [each.busId, each]));
  const down = new Set(
    fieldHosts()
      .filter(({ state }) => state === "down")
      .map(({ group }) => group),
  );
  return site.buses.map(({ id, driver, isolationGroup }) => {
    const known = told.get(id);
    return {
      id,
      driver,
      fieldHost: isolationGroup,
      state: down.has(isolationGroup) ? "host-down" : (known?.state ?? "unknown"),
      occupancy: known?.occupancy ?? null,
      exchangesPerSecond: known?.exchangesPerSecond ?? null,
      faults: known?.faults ?? {},
      health: known?.health ?? null,
      units: known?.units ?? [],
    };
  });
}
