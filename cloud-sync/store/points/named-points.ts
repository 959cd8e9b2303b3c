import type { PointId } from "../../../domain/ids.ts";
import { splitPointId } from "./split-point-id.ts";

/**
 * From clause: points of the gateway $1 by their devices and names, $2 and $3, as `p`. Each is looked up by itself: as a
 * join, the planner walks all 153,000 points of the largest gateway, and once for each that was asked while it has no
 * statistics of them, so a look at a few hundred took seconds.
 */
export const NAMED_POINTS = `unnest($2::text[], $3::text[]) as asked(device_id, name) cross join lateral
  (select each.* from points each where each.gateway_no = (select gateway_no from gateways where gateway_id = $1)
     and each.device_id = asked.device_id and each.name = asked.name offset 0) as p`;

/** Parameters $2 and $3 of {@link NAMED_POINTS}. */
export function namedColumns(pointIds: readonly PointId[]): readonly (readonly string[])[] {
  const ids = pointIds.map(splitPointId);
  return [ids.map(([deviceId]) => deviceId), ids.map(([, name]) => name)];
}
