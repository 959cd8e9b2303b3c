import { readFile } from "node:fs/promises";
import { connectAsync } from "mqtt";
import t from "tap";
import { DIJON } from "../../city/city-plan.ts";
import { openCutProxy } from "../../city/cut-proxy.ts";
import { gatewayFolder } from "../../city/programs.ts";
import { systemClock } from "../../domain/system-clock.ts";
import { systemRandom } from "../../domain/system-random.ts";
import { Millis, Seconds } from "../../domain/time.ts";
import { newCommandId } from "../../gateway/local-api/client/command-id.ts";
import { eventually, lampId, localApi, openScenarioCity, pause } from "./scenario-city.ts";

t.test(
  "cut off from the center the gateway goes on; after it current state is told first, then history whole",
  async (t) => {
    const proxy = await openCutProxy();
    t.teardown(() => proxy[Symbol.asyncDispose]());
    const { city, database, folder } = await openScenarioCity(t, {
      centerUrl: (url, gatewayId) => {
        if (gatewayId !== DIJON) return url;
        proxy.leadTo(Number(new URL(url).port));
        return `https://127.0.0.1:${proxy.port}`;
      },
    });
    const api = localApi(city);
    await eventually("current state is told and the lanes flow", async () =>
      (await api.status()).link?.phase === "live" ? true : undefined,
    );

    const readLamp = () => api.read({ name: "test", device: lampId(1), point: "actual-level" });
    await eventually("the lamp answers", async () => {
      const answer = await readLamp();
      return "points" in answer && answer.points[0]?.quality === "good" ? true : undefined;
    });

    proxy.cut();
    await eventually("the center sees the link go down", async () =>
      (await city.client.linkState(DIJON)) === "up" ? undefined : true,
    );
    t.match(await readLamp(), { points: [{ quality: "good" }] }, "local reads go on");

    const login = JSON.parse(await readFile(`${gatewayFolder({ folder }, DIJON)}/mqtt-login.json`, "utf8"));
    const { host, port } = city.gateway(DIJON).mqtt;
    const client = await connectAsync(`mqtt://${host}:${port}`, {
      ...login,
      protocolVersion: 4,
      reconnectPeriod: 0,
    });
    const verdicts: { readonly state?: { readonly name: string } }[] = [];
    client.on("message", (_topic, payload) => verdicts.push(JSON.parse(payload.toString())));
    await client.subscribeAsync(`sc/v1/dijon/${lampId(2)}/verdict/+`, { qos: 1 });
    const levels = [30, 50, 70];
    for (const value of levels) {
      const commandId = newCommandId(systemClock.now(), systemRandom);
      const order = JSON.stringify({ commandId, value, deadlineMs: 5_000 });
      await client.publishAsync(`sc/v1/dijon/${lampId(2)}/command/dim-level`, order, { qos: 1 });
      await pause(Seconds(3));
    }
    t.equal(
      verdicts.filter(({ state }) => state?.name === "succeeded").length,
      levels.length,
      "local MQTT commands go on",
    );
    await client.endAsync();
    const history = await api.history({ device: lampId(2), point: "actual-level" }, { limit: 100 });
    for (const value of levels) {
      t.ok(
        history.readings.some((reading) => Math.abs(Number(reading.value) - value) <= 1),
        `local history has ${value} %`,
      );
    }

    proxy.mend();
    await eventually("the center shows the present level", async () => {
      const state = (await city.client.states(DIJON)).find(
        (each) => each.pointId === `${lampId(2)}/actual-level`,
      );
      return Math.abs(Number(state?.value) - 70) <= 1 ? true : undefined;
    });
    t.pass("current state was told");
    await eventually("history of the cut is complete at the center", async () => {
      const rows = await database.query<{ value: number }>(
        `select value_number as value from readings join points using (point_no)
        where point_id = '${lampId(2)}/actual-level' order by gateway_at`,
      );
      const seen = rows.rows.map((row) => row.value);
      return levels.every((value) => seen.some((each) => Math.abs(each - value) <= 1)) ? true : undefined;
    });
    await eventually("the link's way down and up is on record", async () => {
      const { rows } = await database.query<{ state: string }>(
        `select body->>'state' as state from events join gateways using (gateway_no)
          where kind = 'link' and gateway_id = $1 order by seq`,
        [DIJON],
      );
      const states = rows.map((row) => row.state).filter((state) => state !== "degraded");
      return states[0] === "up" && states.includes("down") && states.at(-1) === "up" ? true : undefined;
    });
    await eventually("what the crew did alone is accounted for at the center", async () => {
      const { rows } = await database.query(
        `select 1 from evidence where kind = 'command' and body->>'origin' = 'local'
          and body->'state'->>'name' = 'succeeded'`,
      );
      return rows.length === levels.length ? true : undefined;
    });
  },
);

t.setTimeout(Millis(120_000));
