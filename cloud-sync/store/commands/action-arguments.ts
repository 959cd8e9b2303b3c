import type { CommandId } from "../../../domain/ids.ts";
import type { Queryable } from "../database.ts";
import type { PointTakes } from "../points/point-takes.ts";

/** Of those of the commands that were given with arguments: what their actions take by the present catalogue. */
export async function listActionArguments(
  db: Queryable,
  ids: readonly CommandId[],
): Promise<ReadonlyMap<CommandId, NonNullable<PointTakes["args"]>>> {
  const text = `select c.command_id, p.takes -> 'args' as args
    from commands c join gateways g using (gateway_id)
      join points p on p.gateway_no = g.gateway_no and p.device_id = split_part(c.point_id, '/', 1)
        and p.name = split_part(c.point_id, '/', 2) and not p.retired
    where c.command_id = any($1) and c.args <> '[]' and p.takes ? 'args'`;
  const rows = await db.query<{ command_id: CommandId; args: NonNullable<PointTakes["args"]> }>(
    { name: "command-action-arguments", text },
    [[...ids]],
  );
  return new Map(rows.map(({ command_id, args }) => [command_id, args]));
}
