import type { DeviceView, PointView } from "../api/answers.ts";
import { type LoadedCity, useConsole, useValue, useWording } from "../app/console-context.ts";
import { isTooOld } from "../city/look.ts";
import { pointText, qualityText } from "../texts/device-texts.ts";
import { groupPoints, type PointGroups } from "./point-groups.ts";

interface PointProps {
  readonly city: LoadedCity;
  readonly view: DeviceView;
}

/** Every point that shows something: value with unit, quality, and how long ago somebody confirmed it; alarms first. */
export function PointTable({ city, view }: PointProps) {
  const wording = useWording();
  useValue(useConsole().second);
  const groups = groupPoints(view.points);
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{wording.text("point.name")}</th>
          <th scope="col" class="number">
            {wording.text("point.value")}
          </th>
          <th scope="col">{wording.text("point.quality")}</th>
          <th scope="col" class="number">
            {wording.text("point.age")}
          </th>
        </tr>
      </thead>
      {GROUPS.map((name) => (
        <PointGroup key={name} name={name} city={city} view={view} points={groups[name]} />
      ))}
    </table>
  );
}

const GROUPS = ["alarms", "states", "watching"] as const satisfies readonly (keyof PointGroups)[];

function PointGroup(
  props: PointProps & { readonly name: keyof PointGroups; readonly points: readonly PointView[] },
) {
  const { name, points, ...of } = props;
  const wording = useWording();
  if (points.length === 0) return null;
  return (
    <tbody class={`group-${name}`}>
      {name !== "states" && (
        <tr class="group">
          <th colSpan={4} scope="rowgroup">
            {wording.text(`points.${name}`, { n: points.length })}
          </th>
        </tr>
      )}
      {points.map((point) => (
        <PointRow key={point.name} {...of} point={point} />
      ))}
    </tbody>
  );
}

function PointRow({ city, view, point }: PointProps & { readonly point: PointView }) {
  const wording = useWording();
  const { state } = point;
  const standing = standingOf(city, view, point);
  return (
    <tr class={standing}>
      <th scope="row">{pointText(wording.language, point.name)}</th>
      <td class={typeof state?.value === "string" ? "value" : "number value"}>
        {state === null ? "–" : wording.value(state.value, point.unit)}
      </td>
      <td class="quality">
        {state === null ? wording.text("point.never") : qualityText(wording.language, state.quality)}
      </td>
      <td class="number age">
        {state !== null && wording.age(ageOf(city, view, point))}
        {state?.source === "read" && <small>{wording.text("read.source")}</small>}
        {standing === "old" && <b> {wording.text("age.old")}</b>}
      </td>
    </tr>
  );
}

export function ageOf(city: LoadedCity, view: DeviceView, { state, sweep }: PointView): number {
  if (state === null) return Number.POSITIVE_INFINITY;
  // No sweep says anything about what was read for somebody.
  if (state.source === "read") return Math.max(0, city.model.now() - state.atMs);
  return city.model.pointAge(view.gateway, { atMs: state.atMs, sweep });
}

/** How far a point may be believed now. */
export function standingOf(
  city: LoadedCity,
  view: DeviceView,
  point: PointView,
): "fresh" | "old" | "bad" | "unknown" {
  if (point.state === null || city.model.gatewayLink(view.gateway) === "down") return "unknown";
  if (isTooOld({ age: ageOf(city, view, point), maxAge: point.maxAgeMs ?? 0 })) return "old";
  return point.state.quality.startsWith("bad/") ? "bad" : "fresh";
}
