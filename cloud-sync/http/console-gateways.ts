import { LANES, type Lane } from "../../domain/lane.ts";
import type { Database } from "../store/database.ts";
import {
  type ConsoleGatewayRow,
  type LaneCoverRow,
  listConsoleGateways,
  listDeclaredGaps,
  listLaneCover,
} from "../store/views/console-gateways.ts";
import type { ConsoleBoard } from "./console-board.ts";
import { linkStateOf } from "./operators/center-view.ts";

export interface LaneView {
  readonly lane: Lane;
  /** Records that the gateway ever wrote, as far as it told. */
  readonly written: number;
  /** Of those durable here, quarantined ones included. */
  readonly held: number;
  /** Written, not held, and by the gateway's word still to come. */
  readonly backlog: number;
  /** Records that will never come, as declared; open-ended gaps count in `gaps` only. */
  readonly lost: number;
  readonly gaps: number;
}

/** Every gateway with its link, its lanes and how complete they are. */
export async function viewConsoleGateways(database: Database, board: ConsoleBoard) {
  const [rows, cover, gaps] = [
    await listConsoleGateways(database),
    await listLaneCover(database),
    await listDeclaredGaps(database),
  ];
  return rows.map((row) => {
    const link = board.linkOf(row.gateway_id);
    const covered = cover.filter((each) => each.gateway_id === row.gateway_id);
    const lost = gaps.filter((each) => each.gateway_id === row.gateway_id);
    return {
      id: row.gateway_id,
      name: row.name,
      software: row.software,
      revoked: row.revoked_at !== null,
      enrolled: row.enrolled_at !== null,
      state: linkStateOf(row, board.liveLink(row.gateway_id)),
      sinceMs: row.changed_at,
      heardMs: row.last_heard_at,
      timeQuality: row.time_quality,
      sweeps: link.sweeps,
      quarantined: row.quarantined,
      lanes: LANES.map((lane): LaneView => {
        const declared = lost.find((each) => each.lane === lane);
        return {
          lane,
          ...countLane(lane, row, covered),
          lost: declared?.records ?? 0,
          gaps: declared?.gaps ?? 0,
        };
      }),
    };
  });
}

/** The end of the present incarnation is its head; of an older one, what its successor said of it. */
function countLane(
  lane: Lane,
  row: ConsoleGatewayRow,
  covered: readonly LaneCoverRow[],
): Pick<LaneView, "written" | "held" | "backlog"> {
  const of = covered.filter((each) => each.lane === lane);
  const newest = Math.max(...covered.map((each) => each.lineage_order));
  const held = of.reduce((sum, each) => sum + each.held, 0);
  const written = of.reduce((sum, each) => {
    const end = each.lineage_order === newest ? row.heads?.[lane] : each.end_last?.[lane];
    return sum + Math.max(end ?? 0, each.held);
  }, 0);
  return { written, held, backlog: row.backlog?.[lane] ?? 0 };
}
