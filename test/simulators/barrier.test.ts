import t from "tap";
import { barrierKind } from "../../simulators/access/barrier-kinds.ts";
import { Fields } from "../../simulators/input-fields.ts";
import { type EffectEntry, Journal } from "../../simulators/journal.ts";
import { ModbusException } from "../../simulators/modbus/register-bank.ts";
import { StillClock } from "./still-clock.ts";

const OPEN = 0;
const CLOSE = 1;
const STOP = 2;

function make() {
  const clock = new StillClock();
  const journal = new Journal({ clock });
  const unit = barrierKind.parse(new Fields({ travelMs: 4_000 }))({ id: "gate", seed: 1, journal, clock });
  const { bank } = unit;
  const order = (coil: number, value = 1) => {
    const origin = { connection: 1, transaction: 1, unit: 1, function: 5 };
    const answer = bank.writeCoils?.({ origin, address: coil, values: [value], effect: "normal" });
    return answer instanceof ModbusException ? answer.code : answer;
  };
  const act = (name: string, more: object = {}) => {
    const action = unit.actions.find((each) => each.name === name);
    if (action === undefined) throw new Error(`no action ${name}`);
    void action.prepare(new Fields(more))();
  };
  const input = (at: number) => Array.from(bank.readDiscrete?.(0, 16) as ArrayLike<number>)[at];
  const state = () => Array.from(bank.readInput?.(0, 4) as ArrayLike<number>)[0];
  const effects = (what: string) =>
    journal
      .query({ kind: "effect", limit: 10_000 })
      .entries.filter((entry): entry is EffectEntry => entry.kind === "effect" && entry.what === what);
  return { clock, journal, unit, bank, order, act, input, state, effects };
}

t.test("its state is what limits, motor and key say, and unknown where the limits contradict", (t) => {
  const { clock, order, act, state, input } = make();
  t.equal(state(), 3, "closed");
  t.equal(order(OPEN), "written");
  t.equal(state(), 2, "opening");
  t.equal(input(1), 0, "the closed limit lets go at once");
  clock.advance(4_000);
  t.strictSame([state(), input(0)], [1, 1], "open");
  t.equal(order(CLOSE), "written");
  clock.advance(1_000);
  t.equal(order(STOP), "written");
  t.strictSame([state(), input(13)], [5, 1], "stopped between the limits, at rest");
  act("break-limit", { limit: "open", says: "on" });
  act("break-limit", { limit: "closed", says: "on" });
  t.equal(state(), 0, "both limits: unknown");
  act("repair");
  t.equal(state(), 5);
  act("turn-key-local");
  t.equal(state(), 8);
  t.end();
});

t.test("power that returns moves nothing, and leaves it unknown between the limits", (t) => {
  const { clock, order, act, state, effects } = make();
  order(OPEN);
  clock.advance(1_000);
  act("drain-battery");
  act("cut-mains");
  t.equal(state(), 0, "neither limit, and nobody stopped it there");
  t.equal(order(CLOSE), 4);
  act("restore-mains");
  clock.advance(60_000);
  t.equal(effects("motor").length, 2, "it started, it stopped, and never again");
  t.equal(state(), 0);
  t.end();
});

t.test("what gets under a closing arm sends it up again, and is remembered", (t) => {
  const { clock, order, act, state, input, effects } = make();
  order(OPEN);
  clock.advance(4_000);
  order(CLOSE);
  clock.advance(2_000);
  act("interrupt-photocell");
  t.equal(state(), 2);
  clock.advance(2_000);
  t.strictSame([state(), input(14)], [6, 1], "obstructed, in the open");
  t.match(effects("motor"), [
    { to: 1 },
    { to: 0 },
    { to: 2 },
    { to: 1, cause: { rule: "obstruction" } },
    { to: 0 },
  ]);
  t.equal(order(CLOSE), 4, "its own safety chain refuses too");
  act("clear-photocell");
  t.equal(order(CLOSE), "written");
  t.equal(input(14), 0);
  t.end();
});

t.test("orders that it will not take are refused and journalled, and move nothing", (t) => {
  const cases = [
    ["turn-key-local", OPEN, 4],
    ["turn-key-local", STOP, 4],
    ["break-arm", CLOSE, 4],
    ["press-edge", CLOSE, 4],
    ["occupy-safety-loop", CLOSE, 4],
  ] as const;
  for (const [action, coil, code] of cases) {
    const { journal, order, act, effects } = make();
    act(action);
    t.equal(order(coil), code, action);
    t.match(journal.query({ kind: "write" }).entries, [{ outcome: `exception-${code}` }]);
    t.strictSame(effects("motor"), []);
  }
  const { bank } = make();
  const origin = { connection: 1, transaction: 1, unit: 1, function: 15 };
  const both = bank.writeCoils?.({ origin, address: 0, values: [1, 1], effect: "normal" });
  t.match(both, { code: 3 }, "open and close at once");
  t.end();
});

t.test("a pulse falls back by itself, once, however often it is asked for meanwhile", (t) => {
  const { clock, bank, order, effects } = make();
  order(OPEN);
  clock.advance(500);
  order(OPEN);
  t.same(Array.from(bank.readCoils?.(0, 1) as ArrayLike<number>), [1]);
  t.equal(order(OPEN, 0), "written", "a 0 takes nothing back");
  clock.advance(699);
  t.same(Array.from(bank.readCoils?.(0, 1) as ArrayLike<number>), [1]);
  clock.advance(1);
  t.same(Array.from(bank.readCoils?.(0, 1) as ArrayLike<number>), [0]);
  t.match(effects("pulse-open"), [{ to: 1 }, { to: 0, cause: { rule: "pulse-over" } }]);
  t.end();
});

t.test("a stuck motor is given up after one and a half times its travel", (t) => {
  const { clock, order, act, state, input } = make();
  act("jam");
  order(OPEN);
  clock.advance(5_999);
  t.equal(input(7), 0);
  clock.advance(1);
  t.strictSame([input(7), state()], [1, 7]);
  t.equal(order(OPEN), 4);
  act("repair");
  t.equal(order(OPEN), "written");
  t.end();
});

t.test("the fire brigade opens it whatever else is so, and its end moves nothing", (t) => {
  const { clock, order, act, state, effects } = make();
  act("fire-alarm");
  clock.advance(4_000);
  t.equal(state(), 1);
  t.match(effects("motor")[0], { to: 1, cause: { by: "device", rule: "fire-open" } });
  t.equal(order(CLOSE), 4);
  act("end-fire-alarm");
  clock.advance(10_000);
  t.equal(state(), 1);
  t.equal(order(CLOSE), "written");
  t.end();
});
