import type { PointNumber } from "../domain/ids.ts";
import type { FieldPlan, FieldUnitPlan } from "./field/field-plan.ts";
import { planField } from "./field/plan-field.ts";
import { isConfirmed } from "./field/unit/unit-points.ts";
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
  // By point number; 0: none.
  const sweeps: number[] = [];
  for (const { buses } of plans) {
    for (const unit of buses.flatMap(({ units }) => units)) noteSweeps(unit, sweeps);
  }
  return { plans, sweepOf: (point) => sweeps[point] || null };
}

function noteSweeps({ points, sweeps }: FieldUnitPlan, byPoint: number[]): void {
  const byClass = new Map(sweeps.map(({ pollClass, number }) => [pollClass, number]));
  for (const { number, definition } of points) {
    if (isConfirmed(definition)) byPoint[number] = byClass.get(definition.pollClass) ?? 0;
  }
}
