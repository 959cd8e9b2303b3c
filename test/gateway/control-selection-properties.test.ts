import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import t from "tap";
import type { CommandRecord } from "../../cloud-sync/dispatch/command-record.ts";
import { decideNext } from "../../cloud-sync/dispatch/dispatch-machine.ts";
import type { LiveSession } from "../../cloud-sync/dispatch/dispatch-step.ts";
import { type CommandState, isEnd } from "../../domain/command.ts";
import { advance, applyVerdict } from "../../domain/command-machine.ts";
import type { CommandId } from "../../domain/ids.ts";
import { type Clock, Instant, Millis, since, type Uptime } from "../../domain/time.ts";
import type { CommandFrame } from "../../domain/wire/downlink.ts";
import type { Store } from "../../gateway/store/store.ts";
import { SimulatedClock } from "../simulated-clock.ts";
import {
  CABINET_AT_REST,
  commandId,
  DEMAND_ID,
  evidence,
  openControl,
  order,
  POINTS,
  SUCCEEDED,
} from "./control-bench.ts";
import { openTestStore } from "./store-run.ts";

const pick = fc.nat({ max: 20 });
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("order"),
      ttlMs: fc.constantFrom(4_000, 10_000),
      sees: fc.constantFrom("truth", "truth", "other"),
    }),
  },
  { weight: 6, arbitrary: fc.constant({ kind: "look" }) },
  { weight: 6, arbitrary: fc.constant({ kind: "flow" }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("deliver"), pick, again: fc.constantFrom("no", "no", "again") }),
  },
  { weight: 6, arbitrary: fc.constant({ kind: "evidence" }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("answer"),
      how: fc.constantFrom("succeeded", "outcome-unknown"),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ kind: "beat" }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("time"),
      ms: fc.constantFrom(40, 40, 1_000, 4_000, 6_000, 61_000),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom({ kind: "session" }, { kind: "restart" }) },
);
type Step = { readonly kind: string; readonly [field: string]: unknown };

interface Known {
  readonly record: CommandRecord;
  readonly authorized: Uptime;
  readonly sent: Uptime | null;
  readonly selected: Uptime | null;
}

/** Center and gateway with a line between that loses, repeats and delays; the bus counts what moves. */
class Pair {
  readonly #clock = new SimulatedClock();
  readonly #folder: string;
  readonly #commands = new Map<CommandId, Known>();
  readonly #wire: CommandFrame[] = [];
  readonly #told: {
    readonly id: CommandId;
    readonly state: CommandState;
    readonly session: string | null;
  }[] = [];
  readonly #effects: CommandId[] = [];
  readonly #selected = new Map<CommandId, { readonly at: Uptime; readonly session: string }>();
  readonly faults: string[] = [];
  /** How many commands came so far, at least: shows that the runs are worth something. */
  readonly reached = { selected: 0, operated: 0 };
  #link: { readonly session: string; readonly token: string; readonly receivedAt: Uptime } | null = null;
  #session = 0;
  #life = { isOver: false };
  #store: Store | undefined;
  #bench: ReturnType<typeof openControl> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async start(): Promise<void> {
    this.#selected.clear();
    this.#session += 1;
    this.#store = await openTestStore({ folder: this.#folder }, { clock: this.#clock });
    // What a process that is gone had planned never happens.
    const life = { isOver: false };
    this.#life.isOver = true;
    this.#life = life;
    const clock = this.#clock;
    const own: Clock = {
      now: () => clock.now(),
      uptime: () => clock.uptime(),
      sleep: (duration, signal) => clock.sleep(duration, signal),
      schedule: (duration, callback) =>
        clock.schedule(duration, () => (life.isOver ? undefined : callback())),
    };
    const bench = openControl(this.#store, own, `1.${this.#session}`);
    this.#bench = bench;
    bench.control.onState((id, _point, state) => this.#hear(id, state));
    bench.runner.onOperation = ({ commandId: id, deadline }) => this.#moved(id, deadline);
    bench.control.settleUnfinished();
  }

  async stop(): Promise<void> {
    await this.#store?.[Symbol.asyncDispose]();
  }

  async take(each: Step): Promise<void> {
    await this.#ways[each.kind]?.(each);
    await turn();
    await turn();
  }

  readonly #ways: Readonly<Record<string, (each: Step) => void | Promise<void>>> = {
    order: (each) => this.#order(each),
    look: () => this.#lookAtAll(),
    flow: () => this.#flow(),
    deliver: (each) => this.#deliver(each),
    evidence: () => this.#hearEvidence(),
    answer: ({ how }) => this.#answer(String(how)),
    beat: () => this.#beat(),
    time: ({ ms }) => this.#clock.advance(Number(ms)),
    session: () => {
      this.#session += 1;
      this.#open().tokens.open(`1.${this.#session}`);
    },
    restart: async () => {
      await this.stop();
      await this.start();
    },
  };

  #beat(): void {
    const { tokens } = this.#open();
    this.#link = { session: tokens.session ?? "", token: tokens.mint(), receivedAt: this.#clock.uptime() };
  }

  #answer(how: string): void {
    const { runner } = this.#open();
    const [waiting] = runner.waiting;
    const unknown = { outcome: "outcome-unknown", evidence: evidence("?") } as const;
    if (waiting !== undefined) runner.answer(waiting, how === "succeeded" ? SUCCEEDED : unknown);
  }

  #deliver({ pick: wanted, again }: Step): void {
    if (this.#wire.length === 0) return;
    const at = Number(wanted) % this.#wire.length;
    const frame = this.#wire[at];
    if (again === "no") this.#wire.splice(at, 1);
    if (frame !== undefined) this.#open().control.submitFromCenter(frame);
  }

  #lookAtAll(): void {
    for (const known of this.#commands.values()) this.#look(known);
  }

  /** A moment in which nothing is in the way. */
  async #flow(): Promise<void> {
    for (const frame of this.#wire.splice(0)) this.#open().control.submitFromCenter(frame);
    await turn();
    await turn();
    this.#hearEvidence();
    this.#lookAtAll();
  }

  verdict(): readonly string[] {
    this.#hearEvidence();
    for (const { record } of this.#commands.values()) {
      const effects = this.#effects.filter((id) => id === record.id).length;
      if (effects > 1) this.faults.push(`I22 ${record.id} moved ${effects} times`);
      const { name } = record.state;
      if (["rejected", "expired", "cancelled", "superseded"].includes(name) && effects > 0)
        this.faults.push(`I25 ${record.id} is ${name}, but moved`);
      if (name === "succeeded" && effects !== 1) this.faults.push(`I24 ${record.id} moved ${effects} times`);
    }
    return this.faults;
  }

  #order(each: Step): void {
    const counter = this.#commands.size + 1;
    const shown = [...CABINET_AT_REST].map(([number, value]) => ({ number, value }));
    const confirmed = shown.flatMap(({ number, value }) => {
      const pointId = POINTS.findByNumber(number as never)?.point.id;
      const seen = each["sees"] === "other" && number === 32 ? true : value;
      return pointId === undefined ? [] : [{ pointId, value: seen, quality: "good", ageMs: 5 }];
    });
    const record: CommandRecord = {
      id: commandId(counter),
      gatewayId: "gw-1" as CommandRecord["gatewayId"],
      pointId: DEMAND_ID,
      value: true,
      args: [],
      commandClass: "K3",
      origin: "center",
      issuedBy: counter % 2 === 0 ? "operator/anna" : "operator/bob",
      createdAt: Instant(0),
      ttl: Millis(Number(each["ttlMs"])),
      generation: 1,
      sequence: counter,
      authorizedAt: Instant(0),
      sent: null,
      confirmed,
      operatedAt: null,
      state: { name: "authorized" },
      changedAt: Instant(0),
      resolution: null,
    };
    this.#commands.set(record.id, { record, authorized: this.#clock.uptime(), sent: null, selected: null });
  }

  /** As the stepper does it. */
  #look(known: Known): void {
    const now = this.#clock.uptime();
    const step = decideNext(known.record, {
      generation: 1,
      now: Instant(0),
      point: undefined,
      link: this.#live(now),
      session: this.#link?.session ?? null,
      age: since(known.authorized, now),
      toldAllAfter: null,
      sentFor: known.sent === null ? null : since(known.sent, now),
      selectedFor: known.selected === null ? null : since(known.selected, now),
    });
    const { record } = known;
    if (step.kind === "wait") return;
    if (step.kind === "move") {
      const state = advance("center", record.state, step.to);
      this.#commands.set(record.id, { ...known, record: { ...record, state } });
      return;
    }
    const { action, session, token, budget } = step;
    if (action === "write") throw new Error("a hazardous order left as a plain write");
    const state = advance("center", record.state, { name: "sent", session, action });
    const left =
      action === "operate" ? { operatedAt: Instant(0) } : { sent: { at: Instant(0), session, budget } };
    const sent = action === "select" ? now : known.sent;
    this.#commands.set(record.id, { ...known, sent, record: { ...record, ...left, state } });
    const { id, issuedBy, sequence } = record;
    const hazard = { pointId: DEMAND_ID, value: true, commandClass: "K3", requester: issuedBy } as const;
    const numbered = { sequence: { generation: 1, counter: sequence ?? 0 }, budgetMs: budget };
    this.#wire.push(
      order(this.#open().tokens, { ...hazard, ...numbered, commandId: id, action, session, token }),
    );
  }

  #live(now: Uptime): LiveSession | null {
    if (this.#link === null) return null;
    const { session, token, receivedAt } = this.#link;
    return { session, token, tokenAge: since(receivedAt, now), actions: ["select", "operate"] };
  }

  #hear(id: CommandId, state: CommandState): void {
    const session = this.#open().tokens.session ?? null;
    this.#told.push({ id, state, session });
    if (state.name === "selected") {
      this.reached.selected += 1;
      this.#selected.set(id, { at: this.#clock.uptime(), session: session ?? "" });
    } else if (state.name !== "executing") this.#selected.delete(id);
    if (this.#selected.size > 1) this.faults.push("I36 two selections of one point");
  }

  #hearEvidence(): void {
    for (const { id, state, session } of this.#told.splice(0)) {
      const known = this.#commands.get(id);
      if (known === undefined) continue;
      const judgedIn = { session, sentIn: known.record.sent?.session ?? null };
      const next = applyVerdict(known.record.state, state, judgedIn);
      if (isEnd(known.record.state) && next !== known.record.state) this.faults.push(`I27 ${id} went on`);
      const selected = next.name === "selected" ? (known.selected ?? this.#clock.uptime()) : null;
      this.#commands.set(id, { ...known, selected, record: { ...known.record, state: next } });
    }
  }

  #moved(id: CommandId, deadline: Uptime): void {
    const known = this.#commands.get(id);
    const selected = this.#selected.get(id);
    const now = this.#clock.uptime();
    this.reached.operated += 1;
    this.#effects.push(id);
    if (known === undefined || selected === undefined) {
      this.faults.push(`I36 ${id} was not selected`);
      return;
    }
    if (since(selected.at, now) > 5_000) this.faults.push(`I36 ${id} moved after its selection`);
    if (selected.session !== this.#open().tokens.session)
      this.faults.push(`I36 ${id} moved in another session`);
    this.#selected.delete(id);
    const end = known.authorized + (known.record.ttl ?? 0);
    if (deadline > end || now > deadline) this.faults.push(`I21 ${id} may move ${deadline - end} ms late`);
  }

  #open(): ReturnType<typeof openControl> {
    if (this.#bench === undefined) throw new Error("not started");
    return this.#bench;
  }
}

t.test(
  "over a line that loses, repeats and delays, a hazardous order acts once, in time, selected",
  async (t) => {
    const folder = t.testdir();
    const reached = { selected: 0, operated: 0 };
    let run = 0;
    const likely: readonly Step[] = [
      { kind: "beat" },
      { kind: "order", ttlMs: 10_000, sees: "truth" },
      { kind: "look" },
      { kind: "look" },
    ];
    const result = await fc.check(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
        run += 1;
        const pair = new Pair(`${folder}/run-${run}`);
        await pair.start();
        try {
          for (const each of [...likely, ...steps]) await pair.take(each);
          const faults = pair.verdict();
          if (faults.length > 0) throw new Error(faults.join("; "));
          reached.selected += pair.reached.selected;
          reached.operated += pair.reached.operated;
        } finally {
          await pair.stop();
        }
      }),
      { numRuns: 12 },
    );
    t.comment(`SEED=${result.seed}; ${reached.selected} selected, ${reached.operated} operated`);
    t.equal(result.failed, false, `${fc.defaultReportMessage(result)} ${result.errorInstance}`);
    t.ok(reached.selected > 0 && reached.operated > 0, "the runs went all the way");
  },
);
