import t from "tap";
import { DIJON } from "../../city/city-plan.ts";
import { systemClock } from "../../domain/system-clock.ts";
import { systemRandom } from "../../domain/system-random.ts";
import { Seconds } from "../../domain/time.ts";
import { newCommandId } from "../../gateway/local-api/client/command-id.ts";
import { eventually, lampId, localApi, openScenarioCity } from "./scenario-city.ts";

t.setTimeout(120_000);

t.test(
  "a field host that is killed or stopped is replaced, and nobody is told old values as good meanwhile",
  async (t) => {
    const { city } = await openScenarioCity(t);
    const api = localApi(city);
    const level = async (): Promise<{ readonly quality: string; readonly cause: string }> =>
      await api.point({ device: lampId(1), point: "actual-level" });
    const isGood = async (): Promise<true | undefined> =>
      (await level()).quality === "good" ? true : undefined;
    const atCenter = async (): Promise<string | undefined> =>
      (await city.client.states(DIJON)).find((state) => state.pointId === `${lampId(1)}/actual-level`)
        ?.quality;
    await eventually("the lamp is known", isGood);
    for (const signal of ["SIGKILL", "SIGSTOP"] as const) {
      const pid = (await api.status()).fieldHosts[0]?.pid ?? 0;
      t.ok(pid > 0, "the host is a process of its own");
      process.kill(pid, signal);
      const told = await eventually(`${signal} is told`, async () => {
        const now = await level();
        return now.quality === "good" ? undefined : now;
      });
      t.match(told, { quality: "bad/no-communication", cause: "field-host-down" }, `${signal}: locally`);
      await eventually("another host reads the lamp again", isGood);
      t.not((await api.status()).fieldHosts[0]?.pid, pid, "another process");
      await eventually("the center sees it good again", async () =>
        (await atCenter()) === "good" ? true : undefined,
      );
    }
    const order = { name: "test", device: lampId(1), point: "dim-level", value: 55, deadlineMs: 5_000 };
    const commandId = newCommandId(systemClock.now(), systemRandom);
    const done = await api.command({ ...order, commandId }, Seconds(10));
    t.match(done.state, { name: "succeeded" }, "the new host obeys");
  },
);
