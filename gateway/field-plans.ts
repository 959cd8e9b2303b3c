import type { PointNumber } from "../domain/ids.ts";
import type { FieldPlan, FieldUnitPlan } from "./field/field-plan.ts";
import { planField } from "./field/plan-field.ts";
import { isPolled } from "./field/unit/unit-points.ts";
import type { Site } from "./site/site.ts";

/** What each field host is told, and which sweep confirms each point. */
export interface FieldPlans {
  /** One for each isolation group, in the order of the site file. */
  readonly plans: readonly FieldPlan[];
  /** `null`: the point is not polled, since it is only written, or the site has it no more. */
  sweepOf(point: PointNumber): number | null;
}

/** Pure: equal sites give equal plans and sweep numbers. */
export function makeFieldPlans(site: Site): FieldPlans {
  const plans = planField(site.buses, site.devices);
  const units = plans.flatMap(({ buses }) => buses.flatMap(({ units }) => units));
  const sweeps = new Map(units.flatMap(sweepsByPoint));
  return { plans, sweepOf: (point) => sweeps.get(point) ?? null };
}

function sweepsByPoint({ points, sweeps }: FieldUnitPlan): readonly (readonly [PointNumber, number])[] {
  const byClass = new Map(sweeps.map(({ pollClass, number }) => [pollClass, number]));
  return points.flatMap(({ number, definition }) => {
    const sweep = isPolled(definition) ? byClass.get(definition.pollClass) : undefined;
    return sweep === undefined ? [] : [[number, sweep] as const];
  });
}
