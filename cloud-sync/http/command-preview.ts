import { z } from "zod";
import type { GatewayId, PointId } from "../../domain/ids.ts";
import { type Preview, previewHash } from "../../domain/safety/preview.ts";
import type { Database } from "../store/database.ts";
import { findPoint, type PointRow } from "../store/tables/catalogues.ts";
import type { CenterView } from "./operators/center-view.ts";
import { OperatorProblem } from "./operators/operator-problem.ts";
import { stateView } from "./operators/state-view.ts";

const role = z.enum(["point", "read-back", "interlock"]);

/** How a point stands that is to be commanded, by what the center knows: to be seen before it is confirmed. */
export const previewView = z.object({
  gatewayId: z.string(),
  pointId: z.string(),
  commandClass: z.enum(["K1", "K2", "K3"]).nullable(),
  link: z.enum(["up", "degraded", "down"]),
  points: z.array(
    stateView
      .pick({ pointId: true, value: true, unit: true, quality: true, cause: true, source: true })
      .extend({ role, confirmedAgeMs: z.number().nullable(), maxAgeMs: z.number().nullable() }),
  ),
  /** Why it can not be confirmed now; empty: it can. */
  problems: z.array(z.string()).readonly(),
  /** Stands for the values shown; goes back with the order as `confirm.preview`. Null while there are problems. */
  preview: z.string().nullable(),
});
export type PreviewView = z.infer<typeof previewView>;

type ShownPoint = PreviewView["points"][number];

/** What a person sees and confirms before a hazardous point is operated (PROTOCOL §8). */
export class CommandPreviews {
  readonly #database: Database;
  readonly #view: CenterView;

  constructor(database: Database, view: CenterView) {
    this.#database = database;
    this.#view = view;
  }

  /** Undefined: no such point. */
  async find(gatewayId: GatewayId, pointId: PointId): Promise<PreviewView | undefined> {
    const row = await findPoint(this.#database, gatewayId, pointId);
    if (row === undefined) return undefined;
    const roles = rolesOf(row);
    const states = await this.#view.states(gatewayId, [...roles.keys()] as PointId[]);
    const byId = new Map(states.map((state) => [state.pointId, state]));
    const points = [...roles].map(([id, shownAs]): ShownPoint => {
      const state = byId.get(id);
      const unknown = { value: null, unit: null, quality: "bad/waiting-for-initial-data", cause: "none" };
      const { value, unit, quality, cause } = state ?? unknown;
      const source = state?.source ?? "told";
      const ages = { confirmedAgeMs: state?.confirmedAgeMs ?? null, maxAgeMs: state?.maxAgeMs ?? null };
      return { pointId: id, role: shownAs, value, unit, quality, cause, source, ...ages };
    });
    const link = this.#view.linkState(gatewayId);
    const problems = problemsOf(points, link);
    const preview = problems.length > 0 ? null : previewHash(previewOf(points));
    return { gatewayId, pointId, commandClass: row.command_class, link, points, problems, preview };
  }

  /**
   * The values that a person confirmed, if they still stand; null where none are needed: the point is not hazardous, is
   * unknown, or has no link and so is refused at once. @throws {OperatorProblem} `conflict`, with the pointer of what to mend
   */
  async confirmed(
    order: { readonly gatewayId: GatewayId; readonly pointId: PointId },
    confirm: { readonly preview: string } | undefined,
  ): Promise<Preview | null> {
    const now = await this.find(order.gatewayId, order.pointId);
    if (now === undefined || now.commandClass !== "K3" || now.link === "down") return null;
    const where = `GET /api/v1/preview?gateway=${order.gatewayId}&point=${order.pointId}`;
    if (confirm === undefined) {
      const message = `${order.pointId} is hazardous: look at ${where}, and confirm what you see with its preview`;
      throw new OperatorProblem("conflict", message, "/confirm");
    }
    if (now.preview === null) {
      const message = `how it stands is not known well enough (${now.problems.join("; ")}): wait, and look again`;
      throw new OperatorProblem("conflict", message, "/confirm/preview");
    }
    if (now.preview === confirm.preview) return previewOf(now.points);
    const message = `it does not stand any more as you saw it: look again at ${where}`;
    throw new OperatorProblem("conflict", message, "/confirm/preview");
  }
}

/** In the order in which they are shown; a point that is only written shows by its read-back. */
function rolesOf(row: PointRow): ReadonlyMap<string, ShownPoint["role"]> {
  const roles = new Map<string, ShownPoint["role"]>();
  const add = (id: string, as: ShownPoint["role"]): void => {
    if (!roles.has(id)) roles.set(id, as);
  };
  if (row.access !== "write") add(row.point_id, "point");
  const proving = row.members.length > 0 ? row.members : [row.device_id];
  if (row.read_back !== null) for (const device of proving) add(`${device}/${row.read_back}`, "read-back");
  for (const name of row.interlock_points) add(`${row.device_id}/${name}`, "interlock");
  return roles;
}

function problemsOf(points: readonly ShownPoint[], link: PreviewView["link"]): readonly string[] {
  const unknown = points
    .filter(({ quality }) => quality !== "good")
    .map(({ pointId, quality, cause }) => `${pointId} is ${quality} (${cause})`);
  return link === "down" ? ["the gateway has no live link", ...unknown] : unknown;
}

function previewOf(points: readonly ShownPoint[]): Preview {
  return points.flatMap(({ pointId, value, quality, confirmedAgeMs }) =>
    value === null ? [] : [{ pointId, value, quality, ageMs: confirmedAgeMs ?? 0 }],
  );
}
