import type { FieldPlan } from "./field/field-plan.ts";
import type { HoleMemory } from "./store/store.ts";

/** Hands each unit what an earlier run learnt of it, unless a profile of its devices changed meanwhile. */
export function withKnownHoles(
  plans: readonly FieldPlan[],
  memory: Pick<HoleMemory, "recall">,
): readonly FieldPlan[] {
  return plans.map((plan) => ({
    ...plan,
    buses: plan.buses.map((bus) => ({
      ...bus,
      units: bus.units.map((unit) => {
        const known = memory.recall(bus.id, unit.unitAddress);
        return known?.fingerprint === unit.fingerprint ? { ...unit, holes: known.holes } : unit;
      }),
    })),
  }));
}
