import { LINE_COUNT_NAMES, LINE_COUNTS } from "../../domain/line/line-health.ts";
import type { StatusAnswer } from "./client/answers.ts";

interface Metric {
  readonly name: string;
  readonly kind: "gauge" | "counter";
  readonly help: string;
  readonly samples: readonly { readonly labels?: Readonly<Record<string, string>>; readonly value: number }[];
}

/** The status as Prometheus text (exposition format 0.0.4). */
export function formatMetrics(status: StatusAnswer): string {
  return [...gatewayMetrics(status), ...busMetrics(status)].map(formatMetric).join("");
}

function gatewayMetrics(status: StatusAnswer): readonly Metric[] {
  const { good, uncertain, bad } = status.points;
  const { store, memory, link } = status;
  return [
    gauge("nerve_info", "Which gateway this is.", [
      { labels: { gateway: status.gatewayId, site: status.site.id, software: status.software }, value: 1 },
    ]),
    gauge("nerve_uptime_seconds", "Since the store was opened.", [{ value: status.uptimeMs / 1_000 }]),
    gauge("nerve_points", "Readable points by quality.", [
      { labels: { quality: "good" }, value: good },
      { labels: { quality: "uncertain" }, value: uncertain },
      { labels: { quality: "bad" }, value: bad },
    ]),
    gauge("nerve_link_live", "1 while a sync session with the center is live.", [
      { value: link?.phase === "live" ? 1 : 0 },
    ]),
    gauge("nerve_store_used_bytes", "Both files of the store.", [{ value: store.usedBytes }]),
    gauge("nerve_store_quota_bytes", "Budget of both files.", [{ value: store.quotaBytes }]),
    gauge("nerve_store_writable", "1 while both files of the store take writes.", [
      { value: store.access === "read-write" ? 1 : 0 },
    ]),
    gauge(
      "nerve_store_backlog_records",
      "Records still to be told to the center.",
      Object.entries(store.backlog).map(([lane, value]) => ({ labels: { lane }, value })),
    ),
    gauge(
      "nerve_field_host_up",
      "1 while the field host runs.",
      status.fieldHosts.map(({ group, state }) => ({ labels: { group }, value: state === "down" ? 0 : 1 })),
    ),
    gauge("nerve_memory_rss_bytes", "Resident memory of the core process.", [{ value: memory.rssBytes }]),
    gauge("nerve_memory_heap_used_bytes", "JavaScript heap of the core process.", [
      { value: memory.heapUsedBytes },
    ]),
  ];
}

function busMetrics({ buses }: StatusAnswer): readonly Metric[] {
  const told = buses.filter(({ state }) => state !== "unknown");
  return [
    gauge(
      "nerve_bus_open",
      "1 while the bus is open.",
      buses.map(({ id, state }) => ({ labels: { bus: id }, value: state === "open" ? 1 : 0 })),
    ),
    gauge(
      "nerve_bus_occupancy_ratio",
      "Share of the last window in which the line was busy.",
      told.map(({ id, occupancy }) => ({ labels: { bus: id }, value: occupancy ?? 0 })),
    ),
    gauge(
      "nerve_bus_exchanges_per_second",
      "Exchanges in the last window.",
      told.map(({ id, exchangesPerSecond }) => ({ labels: { bus: id }, value: exchangesPerSecond ?? 0 })),
    ),
    {
      name: "nerve_bus_faults_total",
      kind: "counter",
      help: "Whole exchanges that failed since the field host started.",
      samples: buses.flatMap(({ id, faults }) =>
        Object.entries(faults).map(([code, value]) => ({ labels: { bus: id, code }, value })),
      ),
    },
    ...healthMetrics(buses),
    ...unitMetrics(buses),
  ];
}

function unitMetrics(buses: StatusAnswer["buses"]): readonly Metric[] {
  return [
    gauge(
      "nerve_unit_line_share_ratio",
      "Share of the last window that the line was busy with the unit.",
      buses.flatMap(({ id, units }) =>
        units.map(({ unitAddress, lineShare }) => ({
          labels: { bus: id, unit: unitAddress },
          value: lineShare,
        })),
      ),
    ),
    gauge(
      "nerve_unit_interval_seconds",
      "Reached interval of a poll class, where the unit answers.",
      buses.flatMap(({ id, units }) =>
        units.flatMap(({ unitAddress, intervals }) =>
          intervals.flatMap(({ pollClass, reachedMs }) =>
            reachedMs === null
              ? []
              : [{ labels: { bus: id, unit: unitAddress, class: pollClass }, value: reachedMs / 1_000 }],
          ),
        ),
      ),
    ),
    gauge(
      "nerve_unit_wrong_devices",
      "Devices that answer, but are not what their profiles say.",
      buses.flatMap(({ id, units }) =>
        units.map(({ unitAddress, wrongDevices }) => ({
          labels: { bus: id, unit: unitAddress },
          value: wrongDevices.length,
        })),
      ),
    ),
    gauge(
      "nerve_unit_answering",
      "1 while the unit answers.",
      buses.flatMap(({ id, units }) =>
        units.map(({ unitAddress, state }) => ({
          labels: { bus: id, unit: unitAddress },
          value: state === "answering" ? 1 : 0,
        })),
      ),
    ),
  ];
}

function healthMetrics(buses: StatusAnswer["buses"]): readonly Metric[] {
  return [
    gauge(
      "nerve_bus_line_score_ratio",
      "Share of the last 5 minutes' requests without a line error.",
      buses.flatMap(({ id, health }) =>
        typeof health?.scorePercent === "number"
          ? [{ labels: { bus: id }, value: health.scorePercent / 100 }]
          : [],
      ),
    ),
    {
      name: "nerve_bus_line_events_total",
      kind: "counter",
      help: "What happened on the line since the field host started.",
      samples: buses.flatMap(({ id, health }) =>
        LINE_COUNT_NAMES.flatMap((count) => {
          const value = health?.[count];
          return value === undefined ? [] : [{ labels: { bus: id, event: LINE_COUNTS[count].event }, value }];
        }),
      ),
    },
  ];
}

function gauge(name: string, help: string, samples: Metric["samples"]): Metric {
  return { name, kind: "gauge", help, samples };
}

function formatMetric({ name, kind, help, samples }: Metric): string {
  const lines = samples.map(({ labels = {}, value }) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
    return `${name}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${value}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${lines.join("")}`;
}

/** Backslash, quote and line feed, as the format asks. */
function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
