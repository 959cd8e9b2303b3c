import type { CataloguePoint } from "../../../domain/wire/catalogue.ts";

/**
 * What an order to a point takes and what it brings about, as its gateway told it: column `takes` of `point_kinds`. What
 * is absent an older gateway did not tell, and only it can judge.
 */
export type PointTakes = Pick<CataloguePoint, "args" | "oneOf" | "expects">;

export function takesOf({ args, oneOf, expects }: PointTakes): PointTakes {
  return { ...(args && { args }), ...(oneOf && { oneOf }), ...(expects && { expects }) };
}
