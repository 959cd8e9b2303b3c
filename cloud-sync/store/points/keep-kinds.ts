import type { Catalogue } from "../../../domain/wire/catalogue.ts";
import type { Queryable } from "../database.ts";
import { type PointTakes, takesOf } from "./point-takes.ts";
import { splitPointId } from "./split-point-id.ts";

const COLUMNS = `name, type, unit, access, range_min, range_max, command_class, poll_class, max_age_ms, read_back, interlock_points, takes`;
const TOLD = `rows from (jsonb_to_recordset($1::jsonb) as (name text, type text, unit text, access text, range_min float8,
  range_max float8, "commandClass" text, "pollClass" text, "maxAgeMs" float8, "readBack" text, interlock jsonb,
  takes jsonb)) with ordinality
  as t(name, type, unit, access, range_min, range_max, command_class, poll_class, max_age_ms, read_back, told_interlock, told_takes, nr)
  cross join lateral (select coalesce(t.told_interlock, '[]') as interlock_points, coalesce(t.told_takes, '{}') as takes)`;

/**
 * The center's numbers of the catalogue's points, by kind of device and place in it, and a kind for each retired
 * point's name. Outside of the catalogue's transaction, so that gateways of the same models do not wait for each other.
 */
export async function keepKinds(
  db: Queryable,
  { kinds, retired }: Pick<Catalogue, "kinds" | "retired">,
): Promise<readonly (readonly number[])[]> {
  const names = new Set(retired.map(({ pointId }) => splitPointId(pointId)[1]));
  const told = [
    ...kinds.flatMap(({ points }) =>
      points.map(({ range, polled: _, ...rest }) => {
        const takes: PointTakes = takesOf(rest);
        return { ...rest, takes, range_min: range?.min ?? null, range_max: range?.max ?? null };
      }),
    ),
    ...[...names].map((name) => ({ name })),
  ];
  const values = [JSON.stringify(told)];
  // In one order by all, so that two that add kinds never wait for each other.
  const insert = `insert into point_kinds (${COLUMNS}) select distinct ${COLUMNS} from ${TOLD} order by ${COLUMNS} on conflict do nothing`;
  await db.query({ name: "kind-keep", text: insert }, values);
  const rows = await db.query<{ kind_no: number }>(
    {
      name: "kind-find",
      text: `select k.kind_no from (select nr, ${COLUMNS} from ${TOLD}) t join point_kinds k on k.name = t.name
               and (k.type, k.unit, k.access, k.range_min, k.range_max, k.command_class, k.poll_class, k.max_age_ms, k.read_back, k.interlock_points, k.takes)
                 is not distinct from
                 (t.type, t.unit, t.access, t.range_min, t.range_max, t.command_class, t.poll_class, t.max_age_ms, t.read_back, t.interlock_points, t.takes)
             order by t.nr`,
    },
    values,
  );
  let next = 0;
  return kinds.map(({ points }) => points.map(() => rows[next++]?.kind_no ?? 0));
}
