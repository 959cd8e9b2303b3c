import t from "tap";
import { disk, onBreakingDisk } from "./breaking-disk.ts";
import { openBench } from "./local-api-bench.ts";
import { nerve } from "./spawned-nerve.ts";

onBreakingDisk(
  "a store that takes no writes any more ends `nerve status` with 8, and refuses commands",
  async (t) => {
    const bench = await openBench(t);
    const asked = (...args: readonly string[]) => nerve([...args, "--data-folder", bench.dataFolder], {});
    await bench.accept([]);
    t.match(await asked("status"), { code: 0, output: /^store +ok, /m });
    disk("break");
    for (let tries = 0; tries < 2; tries += 1) {
      t.throws(() =>
        bench.store.evidence.append({ kind: "audit", action: "lost", actor: "test", detail: "" }),
      );
    }
    disk("mend");
    t.match(await asked("status"), {
      code: 8,
      output:
        /^store +READ-ONLY; ok, .*\n(.*\n)*! commands are refused: critical.db is not written any more: .*change the disk/m,
    });
    const { store } = JSON.parse((await asked("status", "--json")).output) as { store: unknown };
    t.match(store, { access: "read-only", fault: /failed twice/, unstored: 0, ballastReleased: false });
    const wrote = await asked("write", "lamp-1", "dim-level", "40%");
    t.equal(wrote.code, 4);
    t.match(`${wrote.output}${wrote.errors}`, /store-unavailable.*the disk failed twice within 10 min/s);
    t.match(await asked("commands"), { code: 0 }, "what is stored can be read");
  },
);

t.test("a store that is well ends it with 0", async (t) => {
  const bench = await openBench(t);
  t.match(await nerve(["status", "--data-folder", bench.dataFolder], {}), { code: 0 });
});
