import t from "tap";
import { Journal } from "../../simulators/journal.ts";
import type { PhaseLoad } from "../../simulators/meter/metered-load.ts";
import { Sdm630 } from "../../simulators/meter/sdm630.ts";
import { openModbusTcpServer } from "../../simulators/modbus/modbus-tcp-server.ts";
import { ModbusException } from "../../simulators/modbus/register-bank.ts";
import { RawClient } from "./modbus-client.ts";
import { StillClock } from "./still-clock.ts";

/** A steady load on each phase, from the start on. */
function bench(watts: readonly [number, number, number]) {
  const clock = new StillClock();
  const journal = new Journal({ clock });
  const of = (w: number): PhaseLoad => ({ w, va: w / 0.9 });
  const startMs = clock.nowMs;
  const wh = (w: number) => (w * (clock.nowMs - startMs)) / 3_600_000;
  const load = {
    phases: () => [of(watts[0]), of(watts[1]), of(watts[2])] as const,
    energyWh: () => [wh(watts[0]), wh(watts[1]), wh(watts[2])] as const,
  };
  const meter = new Sdm630({ id: "m", seed: 7, load, journal, clock });
  const value = (address: number, table: "input" | "holding" = "input"): number => {
    const answer = table === "input" ? meter.readInput(address, 2) : meter.readHolding(address, 2);
    if (answer instanceof ModbusException) return -answer.code;
    const bytes = Buffer.alloc(4);
    bytes.writeUInt16BE(answer[0] ?? 0, 0);
    bytes.writeUInt16BE(answer[1] ?? 0, 2);
    return bytes.readFloatBE(0);
  };
  return { clock, journal, meter, value };
}

t.test("power, current and voltage of each phase agree with each other and with the totals", (t) => {
  const { value } = bench([100, 200, 300]);
  for (const [phase, watts] of [100, 200, 300].entries()) {
    const [v, a] = [value(2 * phase), value(6 + 2 * phase)];
    t.ok(v > 220 && v < 240);
    t.ok(Math.abs(v * a - watts / 0.9) < 0.01, "V x A is the apparent power");
    t.equal(value(0x0c + 2 * phase), watts);
    t.ok(Math.abs(value(0x1e + 2 * phase) - 0.9) < 1e-6);
  }
  t.equal(value(0x34), 600);
  t.ok(Math.abs(value(0x3e) - value(0x34) / value(0x38)) < 1e-6);
  t.ok(Math.abs(Math.hypot(value(0x34), value(0x3c)) - value(0x38)) < 0.01);
  t.ok(Math.abs(value(0x46) - 50) < 0.05);
  t.end();
});

t.test("energy is what power makes of time, by phase and in sum, and nothing is exported", (t) => {
  const { clock, value } = bench([100, 200, 300]);
  const before = value(0x48);
  const phase = value(0x15c);
  clock.advance(100 * 3_600_000);
  t.ok(Math.abs(value(0x48) - before - 60) < 0.01);
  t.ok(Math.abs(value(0x15c) - phase - 20) < 0.01);
  t.equal(value(0x156), value(0x48));
  t.ok(Math.abs(value(0x15a) + value(0x15c) + value(0x15e) - value(0x48)) < 0.01);
  t.equal(value(0x4a), 0);
  t.ok(Math.abs(value(0x54) - 600) < 0.5, "the demand of a steady load is the load");
  t.end();
});

t.test(
  "at most 80 registers a read, whole parameters only, and a serial number in holding registers",
  (t) => {
    const { meter, value } = bench([1, 1, 1]);
    const code = (address: number, count: number) => {
      const answer = meter.readInput(address, count);
      return answer instanceof ModbusException ? answer.code : answer.length;
    };
    t.equal(code(0, 80), 80);
    t.equal(code(0, 82), 3);
    t.equal(code(0, 3), 3);
    t.equal(code(1, 2), 2);
    t.equal(code(0x17e, 4), 2);
    t.equal(value(0x40), 0, "a parameter that it does not form reads 0");
    t.equal(value(0x2a, "holding") * 65_536 + value(0x2c, "holding"), 18_000_007);
    t.end();
  },
);

t.test("a write is refused on the wire and told in the journal", async (t) => {
  const { meter, journal, clock } = bench([1, 1, 1]);
  const units = new Map([[1, meter]]);
  await using server = await openModbusTcpServer({ host: "127.0.0.1", port: 0, units, clock });
  await using client = await RawClient.open(server.address);
  t.equal(await client.write(0, 1), "8601");
  t.match(journal.query({}).entries, [{ kind: "write", bridge: "m", outcome: "exception-1" }]);
});
