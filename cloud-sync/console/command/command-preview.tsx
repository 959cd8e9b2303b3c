import type { DeviceView, PointValue, PointView } from "../api/answers.ts";
import { type LoadedCity, useConsole, useValue, useWording } from "../app/console-context.ts";
import { LOOK } from "../city/look.ts";
import { ageOf, standingOf } from "../points/point-table.tsx";
import { pointText, qualityText } from "../texts/device-texts.ts";

interface PreviewProps {
  readonly city: LoadedCity;
  readonly view: DeviceView;
  readonly point: PointView;
  readonly order: ChosenOrder;
}

/** What will be ordered as it was chosen. */
export interface ChosenOrder {
  readonly value: PointValue;
  readonly args: readonly PointValue[];
}

/** What is now, as it was last confirmed, beside what was chosen. */
export function CommandPreview({ city, view, point, order }: PreviewProps) {
  const wording = useWording();
  useValue(useConsole().second);
  const proof = view.points.find(({ name }) => name === point.readBack);
  // An action has no value of its own: what proves it says how it stands.
  const rows = [
    ...(point.type === "action" ? [] : [{ row: point, after: order.value }]),
    ...(proof === undefined || proof === point ? [] : [{ row: proof, after: expectedOf(point, order) }]),
  ];
  if (rows.length === 0) return null;
  return (
    <table class="preview">
      <caption>{wording.text("command.preview")}</caption>
      <thead>
        <tr>
          <td />
          <th scope="col" class="number">
            {wording.text("command.now")}
          </th>
          <th scope="col" class="number">
            {wording.text("command.after")}
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ row, after }) => (
          <tr key={row.name} class={standingOf(city, view, row)}>
            <th scope="row">{pointText(wording.language, row.name)}</th>
            <td class="number">
              {row.state === null ? "–" : wording.value(row.state.value, row.unit)}
              <small>{noteOf(city, view, row, wording)}</small>
            </td>
            <td class="number after">{wording.value(after, row.unit)}</td>
          </tr>
        ))}
      </tbody>
      {view.members.length > 0 && (
        <tfoot>
          <tr>
            <td colSpan={3}>{membersNow(city, view, wording)}</td>
          </tr>
        </tfoot>
      )}
    </table>
  );
}

/** What the proving point is to show once it is done; null: nobody told. */
function expectedOf({ type, expects, args = [] }: PointView, order: ChosenOrder): PointValue | null {
  if (expects === undefined) return type === "action" ? null : order.value;
  if ("value" in expects) return expects.value;
  return order.args[args.findIndex(({ name }) => name === expects.argument)] ?? null;
}

type Words = ReturnType<typeof useWording>;

function noteOf(city: LoadedCity, view: DeviceView, point: PointView, wording: Words): string {
  const { state } = point;
  if (state === null) return wording.text("point.never");
  const age = wording.age(ageOf(city, view, point));
  return state.quality === "good" ? age : `${age} · ${qualityText(wording.language, state.quality)}`;
}

/** A group has no level of its own: its lamps have. */
function membersNow({ model }: LoadedCity, view: DeviceView, wording: Words): string {
  const places = view.members.map((id) => model.table.find(`${view.gateway}/${id}`));
  const known = places.filter((place) => place !== undefined);
  const sure = known.filter((place) => {
    const look = model.looks[place] ?? LOOK.unknown;
    return look !== LOOK.unknown && look !== LOOK.old && look !== LOOK.silent && model.level(place) >= 0;
  });
  const levels = sure.map((place) => model.level(place));
  return wording.text("command.members", {
    n: wording.number(view.members.length),
    min: levels.length === 0 ? "–" : wording.number(Math.min(...levels)),
    max: levels.length === 0 ? "–" : wording.number(Math.max(...levels)),
    doubtful: wording.number(view.members.length - sure.length),
  });
}
