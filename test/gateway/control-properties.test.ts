import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import t from "tap";
import { type CommandState, isEnd } from "../../domain/command.ts";
import type { CommandId } from "../../domain/ids.ts";
import { compareSessions } from "../../domain/session-id.ts";
import { after, Millis } from "../../domain/time.ts";
import type { CommandSequence, Store } from "../../gateway/store/store.ts";
import { SimulatedClock } from "../simulated-clock.ts";
import { commandId, DIM, evidence, localOrder, openControl, order, SUCCEEDED } from "./control-bench.ts";
import { entriesOf, openTestStore } from "./store-run.ts";

const id = fc.integer({ min: 1, max: 6 });
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("center"), id, counter: fc.integer({ min: 1, max: 8 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("local"), id }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("answer"),
      pick: fc.nat(),
      how: fc.constantFrom("succeeded", "failed", "outcome-unknown", "expired"),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("time"), ms: fc.constantFrom(40, 3_000, 6_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("session") }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart") }) },
);
type Step = { readonly kind: string; readonly [field: string]: unknown };

/** One gateway over all its restarts, and what may never happen to it. */
class Life {
  readonly #folder: string;
  readonly #clock = new SimulatedClock();
  /** Operations that reached the bus, over all runs. */
  readonly #effects = new Map<CommandId, number>();
  readonly #ends = new Map<CommandId, CommandState["name"]>();
  readonly #faults: string[] = [];
  #fence: CommandSequence = { generation: 0, counter: 0 };
  #sessions = 1;
  #store: Store | undefined;
  #bench: ReturnType<typeof openControl> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async start(): Promise<void> {
    this.#store = await openTestStore({ folder: this.#folder }, { clock: this.#clock });
    this.#sessions += 1;
    this.#bench = openControl(this.#store, this.#clock, `1.${this.#sessions}`);
    this.#bench.runner.onOperation = ({ commandId: moved }) => {
      this.#effects.set(moved, (this.#effects.get(moved) ?? 0) + 1);
      if (this.#ends.has(moved)) this.#faults.push(`${moved} moved after it was over`);
    };
    this.#bench.control.onState((told, _point, state) => this.#note(told, state));
    this.#bench.control.settleUnfinished();
  }

  async stop(): Promise<void> {
    await this.#store?.[Symbol.asyncDispose]();
  }

  async take(what: Step): Promise<void> {
    const { control, runner, tokens } = this.#open();
    switch (what.kind) {
      case "center": {
        const frame = order(tokens, {
          commandId: commandId(Number(what["id"])),
          sequence: { generation: 1, counter: Number(what["counter"]) },
        });
        this.#note(commandId(Number(what["id"])), control.submitFromCenter(frame).admitted);
        break;
      }
      case "local": {
        const deadline = after(this.#clock.uptime(), Millis(1_000));
        this.#note(
          commandId(Number(what["id"])),
          control.submitLocal(localOrder(Number(what["id"]), deadline)).admitted,
        );
        break;
      }
      case "answer": {
        const waiting = runner.waiting;
        const picked = waiting[Number(what["pick"]) % Math.max(1, waiting.length)];
        if (picked !== undefined) runner.answer(picked, answerOf(String(what["how"])));
        break;
      }
      case "time":
        await this.#clock.advance(Number(what["ms"]));
        break;
      case "session":
        this.#sessions += 1;
        tokens.open(`1.${this.#sessions}`);
        break;
      default:
        await this.stop();
        await this.start();
    }
    await turn();
    this.#checkFence();
  }

  /** Empty when all held. */
  verdict(): readonly string[] {
    const { store } = this.#openStore();
    for (const [moved, times] of this.#effects) {
      if (times > 1) this.#faults.push(`I22 ${moved} moved ${times} times`);
      const end = this.#ends.get(moved);
      if (end === "superseded" || end === "rejected") this.#faults.push(`I25 ${moved} is ${end}, but moved`);
    }
    for (const [told, name] of this.#ends) {
      if (store.commands.find(told)?.state.name !== name)
        this.#faults.push(`I27 ${told} was told as ${name}`);
    }
    if (entriesOf(store, "A").length < this.#ends.size) this.#faults.push("I13 an end without evidence");
    return this.#faults;
  }

  #note(told: CommandId, state: CommandState): void {
    const before = this.#ends.get(told);
    if (before !== undefined && before !== state.name)
      this.#faults.push(`I27 ${told} was ${before}, then ${state.name}`);
    if (isEnd(state)) this.#ends.set(told, state.name);
  }

  #checkFence(): void {
    const fence = this.#openStore().store.commands.lastFence(DIM, "center");
    if (fence === null) return;
    if (compareSessions(fence, this.#fence) < 0) this.#faults.push("I23 the fence went back");
    this.#fence = fence;
  }

  #open(): ReturnType<typeof openControl> {
    if (this.#bench === undefined) throw new Error("not started");
    return this.#bench;
  }

  #openStore(): { readonly store: Store } {
    if (this.#store === undefined) throw new Error("not started");
    return { store: this.#store };
  }
}

function answerOf(how: string) {
  if (how === "succeeded") return SUCCEEDED;
  if (how === "expired") return { outcome: "expired", detail: "late on the bus" } as const;
  return { outcome: how === "failed" ? "failed" : "outcome-unknown", evidence: evidence(how) } as const;
}

t.test(
  "whatever is ordered, answered and restarted, a command acts at most once and its end stays",
  async (t) => {
    const folder = t.testdir();
    let run = 0;
    const result = await fc.check(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        run += 1;
        const life = new Life(`${folder}/run-${run}`);
        await life.start();
        try {
          for (const each of steps) await life.take(each);
          const faults = life.verdict();
          if (faults.length > 0) throw new Error(faults.join("; "));
        } finally {
          await life.stop();
        }
      }),
      { numRuns: 25 },
    );
    t.comment(`SEED=${result.seed}`);
    t.equal(result.failed, false, fc.defaultReportMessage(result) ?? "");
  },
);
