import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import type { DeviceView, HistoryView, PointView } from "../api/answers.ts";
import { useConsole, useValue, useWording } from "../app/console-context.ts";
import { pointText } from "../texts/device-texts.ts";
import { chartOptions, seriesOf } from "./history-chart.ts";
import { Segments } from "./switches.tsx";

const HOUR = 3_600_000;
const SPANS = { day: 24 * HOUR, week: 7 * 24 * HOUR, month: 30 * 24 * HOUR } as const;
type Span = keyof typeof SPANS;
const BUCKETS = 480;
const CHART_HEIGHT = 190;

/** One point over hours and days: the band is least to greatest, the line what held last. */
export function HistoryPanel({ view }: { readonly view: DeviceView }) {
  const wording = useWording();
  const points = view.points.filter(
    ({ type, access }) => (type === "number" || type === "boolean") && access !== "write",
  );
  const usual = usualPoint(view.points, points);
  const [name, setName] = useState(usual?.name ?? "");
  const [span, setSpan] = useState<Span>("day");
  if (usual === undefined) return null;
  return (
    <section class="history">
      <h2>{wording.text("device.history")}</h2>
      <div class="chart-head">
        <select
          aria-label={wording.text("history.point")}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        >
          {points.map((point) => (
            <option key={point.name} value={point.name}>
              {pointText(wording.language, point.name)}
            </option>
          ))}
        </select>
        <Segments
          label={wording.text("history.span")}
          choices={(["day", "week", "month"] as const).map((key) => ({
            key,
            text: wording.text(`history.${key}`),
          }))}
          chosen={span}
          onChoose={setSpan}
        />
      </div>
      <Chart gateway={view.gateway} point={`${view.id}/${name}`} span={SPANS[span]} />
    </section>
  );
}

/** What proves an order to the device is what people ask about first. */
function usualPoint(all: readonly PointView[], shown: readonly PointView[]): PointView | undefined {
  const proofs = all.map(({ readBack }) => readBack);
  return (
    shown.find(({ name }) => name === "actual-level") ??
    shown.find(({ name }) => proofs.includes(name)) ??
    shown[0]
  );
}

interface ChartProps {
  readonly gateway: string;
  readonly point: string;
  readonly span: number;
}

function Chart({ gateway, point, span }: ChartProps) {
  const wording = useWording();
  const parts = useConsole();
  const theme = useValue(parts.preferences.theme);
  const box = useRef<HTMLDivElement>(null);
  const history = useHistory({ gateway, point, span });
  useEffect(() => {
    const element = box.current;
    if (element === null || history === undefined) return;
    const size = { width: element.clientWidth, height: CHART_HEIGHT };
    const chart = new uPlot({ ...chartOptions(element, wording), ...size }, seriesOf(history), element);
    return () => chart.destroy();
  }, [history, wording, theme]);
  const empty = history !== undefined && history.bucket.length === 0 && history.before === null;
  return (
    <div class="chart" role="img" aria-label={history === undefined ? "" : altOf(history, point, wording)}>
      <div ref={box} hidden={empty} />
      {empty && <p class="notice">{wording.text("history.none")}</p>}
    </div>
  );
}

function useHistory({ gateway, point, span }: ChartProps): HistoryView | undefined {
  const parts = useConsole();
  const [history, setHistory] = useState<HistoryView | undefined>(undefined);
  useEffect(() => {
    let current = true;
    const to = Math.round(parts.city.value?.model.now() ?? Date.now());
    parts.client
      .history({ gateway, point, from: to - span, to, buckets: BUCKETS })
      .then((read) => current && setHistory(read))
      // The page says when the center is lost.
      .catch(() => undefined);
    return () => {
      current = false;
    };
  }, [gateway, point, span]);
  return history;
}

function altOf(history: HistoryView, point: string, wording: ReturnType<typeof useWording>): string {
  const known = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null);
  const lasts = known(history.last);
  return wording.text("history.alt", {
    point: pointText(wording.language, point.split("/")[1] ?? ""),
    min: wording.number(Math.min(...known(history.min), history.before?.value ?? Number.POSITIVE_INFINITY)),
    max: wording.number(Math.max(...known(history.max), history.before?.value ?? Number.NEGATIVE_INFINITY)),
    last: wording.number(lasts.at(-1) ?? history.before?.value ?? 0),
  });
}
