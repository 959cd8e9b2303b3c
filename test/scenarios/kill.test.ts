import Database from "better-sqlite3";
import t from "tap";
import type { City } from "../../city/city.ts";
import { DIJON } from "../../city/city-plan.ts";
import { gatewayFolder } from "../../city/programs.ts";
import { systemRandom } from "../../domain/system-random.ts";
import { Millis, Seconds } from "../../domain/time.ts";
import { eventually, lampId, openScenarioCity, pause, type ScenarioCity } from "./scenario-city.ts";

t.setTimeout(300_000);

const LAMPS = 6;
const LANES = ["A", "B", "C", "D"] as const;

t.test(
  "I2 I4 gateway and center killed under traffic: nothing acknowledged is missing, nothing is there twice",
  async (t) => {
    const scenario = await openScenarioCity(t);
    const { city } = scenario;
    const traffic = startTraffic(city);
    for (const victim of ["gateway", "center", "gateway", "center"] as const) {
      await pause(Millis(1_500 + systemRandom.next() * 1_500));
      if (victim === "gateway") await city.restartGateway(DIJON, "SIGKILL");
      else await city.restartCenter("SIGKILL");
    }
    await pause(Seconds(3));
    const orders = await traffic.stop();
    await eventually("every order is over or explicitly unknown", () => allOver(city, orders), Seconds(150));
    await eventually("all lanes are drained", () => drained(scenario), Seconds(40));

    const written = await eventually("the gateway's counters", async () => writtenSequences(scenario));
    for (const each of written) {
      const held = await heldSequences(scenario, each);
      const where = `lane ${each.lane} of incarnation ${each.incarnation.slice(0, 8)}`;
      t.equal(held.covered, each.highest, `${where}: cursor covers 1 … ${each.highest}`);
      t.equal(held.distinct, each.highest, `${where}: every record is there`);
      t.equal(held.total, each.highest, `${where}: no record is there twice`);
    }
    t.ok(written.filter((each) => each.lane === "C" && each.highest > 0).length > 0, "there was traffic");
    t.equal(new Set(written.map((each) => each.incarnation)).size, 3, "three openings of the store");

    const effects = (await city.journal.since()).filter(({ what }) => what === "level");
    for (const order of await Promise.all(orders.map((id) => city.client.findCommand(id)))) {
      const lamp = order.pointId.split("/")[0];
      const moves = effects.filter(
        (effect) => effect.device === lamp && Math.abs(effect.to - Number(order["value"])) <= 1,
      );
      const { name } = order.state;
      if (["rejected", "expired", "cancelled", "superseded"].includes(name))
        t.equal(moves.length, 0, `I25 ${name}: nothing moved`);
      if (name === "succeeded") t.equal(moves.length, 1, "I24 succeeded: moved exactly once");
      t.ok(moves.length <= 1, `I22 ${name}: at most one effect`);
    }
  },
);

const VALUES_PER_LAMP = 30;

/** Orders each lamp to values that none of its other orders has, so that an effect names its order. */
function startTraffic(city: City): { stop(): Promise<readonly string[]> } {
  const orders: string[] = [];
  let isRunning = true;
  const run = async (): Promise<void> => {
    for (let count = 0; isRunning && count < LAMPS * VALUES_PER_LAMP; count += 1) {
      const pointId = `${lampId((count % LAMPS) + 1)}/dim-level`;
      // A center that is down takes no order: then there is none to account for.
      await city.client
        .command({ gatewayId: DIJON, pointId, value: 10 + 3 * Math.floor(count / LAMPS), ttlMs: 15_000 })
        .then((command) => orders.push(command.id))
        .catch(() => undefined);
      await pause(Millis(150));
    }
  };
  const running = run();
  return {
    async stop() {
      isRunning = false;
      await running;
      return orders;
    },
  };
}

async function allOver(city: City, orders: readonly string[]): Promise<true | undefined> {
  const commands = await Promise.all(orders.map((id) => city.client.findCommand(id)));
  return commands.every((command) => city.client.isOver(command)) ? true : undefined;
}

interface Written {
  readonly incarnation: string;
  readonly lane: (typeof LANES)[number];
  readonly highest: number;
}

/** From the gateway's own files, as they stand. */
function writtenSequences({ folder }: ScenarioCity): readonly Written[] {
  const data = `${gatewayFolder({ folder }, DIJON)}/data`;
  return ["critical.db", "telemetry.db"].flatMap((file) => {
    const database = new Database(`${data}/${file}`, { readonly: true });
    try {
      return database.prepare<[], Written>(COUNTERS).all();
    } finally {
      database.close();
    }
  });
}
const COUNTERS = `select incarnations.id as incarnation, substr('ABCD', lane + 1, 1) as lane, highest
  from counters join incarnations on incarnations.number = counters.incarnation where highest > 0`;

async function drained(scenario: ScenarioCity): Promise<true | undefined> {
  for (const each of writtenSequences(scenario)) {
    const held = await heldSequences(scenario, each);
    if (held.covered < each.highest) return undefined;
  }
  return true;
}

/** What the center has of a lane: records that its cursor covers, and rows of history. */
async function heldSequences(
  { database }: ScenarioCity,
  { incarnation, lane }: Written,
): Promise<{ readonly covered: number; readonly total: number; readonly distinct: number }> {
  const cursor = await database.query<{ covered: string }>(
    `select coalesce(sum(upper(range) - lower(range)), 0) as covered
       from cursors join incarnations using (incarnation_no), unnest(ranges) as range
      where incarnation = $1 and lane = $2::text::"char"`,
    [incarnation, lane],
  );
  const rows = await database.query<{ total: string; distinct: string }>(
    `select count(*) as total, count(distinct seq) as distinct from (
       select seq, 'A' as lane, incarnation_no from evidence
       union all select seq, lane::text, incarnation_no from events
       union all select seq, lane::text, incarnation_no from readings
     ) as records join incarnations using (incarnation_no) where incarnation = $1 and lane = $2`,
    [incarnation, lane],
  );
  return {
    covered: Number(cursor.rows[0]?.covered),
    total: Number(rows.rows[0]?.total),
    distinct: Number(rows.rows[0]?.distinct),
  };
}
