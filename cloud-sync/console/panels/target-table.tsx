import type { CommandView, DeviceView, PointValue, PointView } from "../api/answers.ts";
import { type LoadedCity, useConsole, useValue, useWording } from "../app/console-context.ts";
import { pointText } from "../texts/device-texts.ts";
import { standingOf } from "./point-table.tsx";

interface TargetProps {
  readonly city: LoadedCity;
  readonly view: DeviceView;
  readonly commands: readonly CommandView[];
}

const SHOWN_MAX = 8;

/** For what can be commanded and proven: what was wanted last, what the device says it holds, and what is. */
export function TargetTable({ city, view, commands }: TargetProps) {
  const wording = useWording();
  useValue(useConsole().second);
  // An action holds no value: its proof stands among the points.
  const points = view.points
    .filter(({ readBack, type }) => readBack !== null && type !== "action")
    .slice(0, SHOWN_MAX);
  if (points.length === 0) return null;
  return (
    <section class="targets">
      {points.map((point) => {
        const actual = view.points.find(({ name }) => name === point.readBack);
        const target = commands.find(({ pointId }) => pointId === `${view.id}/${point.name}`);
        return (
          <dl key={point.name} aria-label={pointText(wording.language, point.name)}>
            <Figure
              label={wording.text("point.target")}
              value={target?.value ?? null}
              unit={point.unit}
              standing="fresh"
            />
            <Figure
              label={wording.text("point.feedback")}
              value={point.state?.value ?? null}
              unit={point.unit}
              standing={standingOf(city, view, point)}
            />
            <Figure
              label={wording.text("point.actual")}
              value={actual?.state?.value ?? null}
              unit={actual?.unit ?? null}
              standing={actual === undefined ? "unknown" : standingOf(city, view, actual)}
            />
            <dt class="of">{pointText(wording.language, point.name)}</dt>
          </dl>
        );
      })}
    </section>
  );
}

function Figure(props: {
  readonly label: string;
  readonly value: PointValue | null;
  readonly unit: PointView["unit"];
  readonly standing: string;
}) {
  const wording = useWording();
  return (
    <div class={`figure ${props.standing}`}>
      <dt>{props.label}</dt>
      <dd>{wording.value(props.value, props.unit)}</dd>
    </div>
  );
}
