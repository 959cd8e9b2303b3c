import type { CommandView, DeviceView, PointView } from "../api/answers.ts";
import { type LoadedCity, useConsole, useValue, useWording } from "../app/console-context.ts";
import { stateText } from "../texts/command-texts.ts";
import { pointText } from "../texts/device-texts.ts";
import { ageOf, standingOf } from "./point-table.tsx";

interface TargetProps {
  readonly city: LoadedCity;
  readonly view: DeviceView;
  readonly commands: readonly CommandView[];
}

const SHOWN_MAX = 8;

/** For what can be set and proven: what was ordered last and how that ended, what the device holds, and what is. */
export function TargetTable({ city, view, commands }: TargetProps) {
  useValue(useConsole().second);
  // An action holds no value: its proof stands among the points.
  const points = view.points
    .filter(({ readBack, type }) => readBack !== null && type !== "action")
    .slice(0, SHOWN_MAX);
  if (points.length === 0) return null;
  return (
    <section class="targets">
      {points.map((point) => {
        const order = commands.find(({ pointId }) => pointId === `${view.id}/${point.name}`);
        return <Target key={point.name} city={city} view={view} point={point} order={order} />;
      })}
    </section>
  );
}

function Target(props: {
  readonly city: LoadedCity;
  readonly view: DeviceView;
  readonly point: PointView;
  readonly order: CommandView | undefined;
}) {
  const { city, view, point, order } = props;
  const wording = useWording();
  const actual = view.points.find(({ name }) => name === point.readBack);
  const isBefore = isFromBefore(city, view, { point, order });
  const figure = (shown: PointView) => ({
    value: wording.value(shown.state?.value ?? null, shown.unit),
    standing: shown === point && isBefore ? "old" : standingOf(city, view, shown),
  });
  const differs = actual !== undefined && !isBefore && disagree(city, view, [point, actual]);
  const isHeldApart = point.access !== "write" && actual !== point;
  return (
    <dl class={isHeldApart ? "of-3" : "of-2"} aria-label={pointText(wording.language, point.name)}>
      <LastOrder point={point} order={order} />
      {isHeldApart && <Figure label={wording.text("point.feedback")} {...figure(point)} />}
      {actual !== undefined && <Figure label={wording.text("point.actual")} {...figure(actual)} />}
      <dt class="of">
        {pointText(wording.language, point.name)}
        {differs && (
          <small>{wording.text(view.class === "streetlight" ? "point.own-control" : "point.differs")}</small>
        )}
      </dt>
    </dl>
  );
}

/** Rejected, it never was a target; it stands all the same, with its end: somebody wanted it. */
function LastOrder({ point, order }: { readonly point: PointView; readonly order: CommandView | undefined }) {
  const wording = useWording();
  const label = wording.text("point.ordered");
  if (order === undefined)
    return (
      <Figure label={label} value="–" standing="order unknown" note={wording.text("point.not-ordered")} />
    );
  const note = `${stateText(wording.language, order.state.name)} · ${wording.clock(order.createdAtMs)}`;
  const standing = order.state.name === "succeeded" ? "order" : `order ended ${order.state.name}`;
  return (
    <Figure label={label} value={wording.value(order.value, point.unit)} standing={standing} note={note} />
  );
}

function Figure(props: {
  readonly label: string;
  readonly value: string;
  readonly standing: string;
  readonly note?: string;
}) {
  return (
    <div class={`figure ${props.standing}`}>
      <dt>{props.label}</dt>
      <dd>
        {props.value}
        {props.note !== undefined && <small>{props.note}</small>}
      </dd>
    </div>
  );
}

/** What is held was confirmed last before the order was carried out, and is another value: it is old, however young. */
function isFromBefore(
  city: LoadedCity,
  view: DeviceView,
  { point, order }: { readonly point: PointView; readonly order: CommandView | undefined },
): boolean {
  const done = order?.history.find(({ state }) => state === "succeeded")?.at;
  if (done === undefined || point.state?.value === order?.value) return false;
  return city.model.now() - ageOf(city, view, point) < done;
}

/** A level is rounded on its way, so that 50 and 51 % are the same (docs/devices.md). */
const SAME_WITHIN = 2;

/** Both are known now, and say different things. */
function disagree(city: LoadedCity, view: DeviceView, points: readonly [PointView, PointView]): boolean {
  const [held, actual] = points.map((point) =>
    standingOf(city, view, point) === "fresh" ? (point.state?.value ?? null) : null,
  );
  if (held === null || actual === null || held === undefined || actual === undefined) return false;
  if (typeof held === "number" && typeof actual === "number") return Math.abs(held - actual) > SAME_WITHIN;
  return held !== actual;
}
