import fc from "fast-check";
import t from "tap";
import { addRange, coversRange, LANES, type Lane, type RangeSet } from "../../domain/lane.ts";
import { seededRandom } from "../../domain/random.ts";
import { Millis, Seconds, Uptime } from "../../domain/time.ts";
import type { Welcome } from "../../domain/wire/hello.ts";
import {
  LaneSchedule,
  type LaneSpan,
  type SendPlan,
  type Ticket,
} from "../../gateway/uplink/lane-schedule.ts";
import {
  nextTick,
  SESSION_START,
  type SessionInput,
  type SessionState,
  stepSession,
} from "../../gateway/uplink/session-machine.ts";
import { TokenBook } from "../../gateway/uplink/token-book.ts";
import { SimulatedClock } from "../simulated-clock.ts";

const INCARNATION = "a".repeat(32);
const OLDER = "b".repeat(32);
const RECONNECT = { min: Seconds(60), max: Seconds(300) };

function welcome(changes: Partial<Welcome> = {}): Welcome {
  return {
    session: "1.1",
    cursors: [],
    credits: 12,
    centerTimeMs: 0,
    timeSignature: "",
    catalogueHash: null,
    codecs: ["none"],
    ...changes,
  };
}

function drive(inputs: readonly (SessionInput & { readonly at: number })[]): {
  readonly state: SessionState;
  readonly effects: readonly string[];
} {
  let state = SESSION_START;
  const effects: string[] = [];
  for (const input of inputs) {
    const step = stepSession(state, input, {
      now: Uptime(input.at),
      random: seededRandom(1),
      reconnect: RECONNECT,
    });
    state = step.state;
    effects.push(
      ...step.effects.map((effect) => (effect.kind === "link" ? `link ${effect.state}` : effect.kind)),
    );
  }
  return { state, effects };
}

const KNOWN = "c".repeat(64);
const LIVE: readonly (SessionInput & { readonly at: number })[] = [
  { kind: "tick", at: 0 },
  { kind: "welcome", welcome: welcome({ catalogueHash: KNOWN }), catalogueHash: KNOWN, at: 10 },
  { kind: "snapshot-told", at: 20 },
];

t.test(
  "current state is told before any lane flows, and the catalogue first if the center lacks it",
  async (t) => {
    const { state, effects } = drive([
      { kind: "tick", at: 0 },
      { kind: "welcome", welcome: welcome(), catalogueHash: KNOWN, at: 10 },
      { kind: "catalogue-told", at: 20 },
      { kind: "snapshot-told", at: 30 },
    ]);
    t.equal(state.phase, "live");
    t.same(effects, ["hello", "open", "heartbeat", "tell-catalogue", "tell-snapshot", "link up", "go-live"]);
  },
);

t.test("a catalogue that the center holds is not told again", async (t) => {
  const { effects } = drive(LIVE);
  t.same(effects, ["hello", "open", "heartbeat", "tell-snapshot", "link up", "go-live"]);
});

t.test("a heartbeat goes every 5 s, and three missed ones of the center end the session", async (t) => {
  const { state, effects } = drive([
    ...LIVE,
    { kind: "tick", at: 5_010 },
    { kind: "tick", at: 10_010 },
    { kind: "tick", at: 15_010 },
  ]);
  t.same(effects.slice(6), ["heartbeat", "heartbeat", "link degraded", "close", "link down"]);
  t.equal(state.phase, "waiting");
});

t.test("a center that is heard again is told so", async (t) => {
  const { effects } = drive([...LIVE, { kind: "tick", at: 8_000 }, { kind: "heard", at: 8_500 }]);
  t.same(effects.slice(6), ["heartbeat", "link degraded", "link up"]);
});

t.test("reconnects are spread: full jitter below a ceiling that doubles to its bound", async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.integer(), (failures, seed) => {
        const broken = { kind: "broken", code: "unreachable", detail: "" } as const;
        const state = { phase: "greeting", failures } as const;
        const step = stepSession(state, broken, {
          now: Uptime(0),
          random: seededRandom(seed),
          reconnect: RECONNECT,
        });
        const ceiling = Math.min(RECONNECT.max, RECONNECT.min * 2 ** failures);
        return step.state.phase === "waiting" && step.state.until >= 0 && step.state.until <= ceiling;
      }),
    ),
  );
});

t.test(
  "the machine never asks to be ticked in the past, and a break while waiting changes nothing",
  async (t) => {
    const { state } = drive(LIVE);
    t.ok(nextTick(state, Uptime(1_000_000)) === 0);
    const waiting: SessionState = { phase: "waiting", until: Uptime(50), failures: 3 };
    const broken = { kind: "broken", code: "fence", detail: "" } as const;
    t.equal(
      stepSession(waiting, broken, { now: Uptime(0), random: seededRandom(1), reconnect: RECONNECT }).state,
      waiting,
    );
  },
);

t.test("a token counts in the session that minted it, until it is void", async (t) => {
  const clock = new SimulatedClock();
  let asleep = 0;
  const book = new TokenBook(clock, seededRandom(7), () => Millis(clock.uptime() + asleep));
  book.open("1.1");
  const token = book.mint();
  t.equal(book.mintedAt(token, "1.1"), clock.uptime());
  t.equal(book.mintedAt(token, "1.2"), undefined, "another session");
  asleep = 5_000;
  t.equal(book.mintedAt(token, "1.1"), undefined, "the machine slept, so the monotonic clock stood still");
  asleep = 0;
  book.open("1.2");
  t.equal(book.mintedAt(token, "1.2"), undefined, "I32 a token of an earlier session never counts again");
});

const lane = fc.constantFrom<Lane>(...LANES);

t.test(
  "whatever fails, every record is sent until it is held, never twice at once, within the credits",
  async (t) => {
    const lanes = fc.array(
      fc.record({ lane, count: fc.integer({ min: 1, max: 3_500 }), older: fc.boolean() }),
      {
        minLength: 1,
        maxLength: 6,
      },
    );
    t.doesNotThrow(() =>
      fc.assert(
        fc.property(lanes, fc.integer({ min: 1, max: 12 }), fc.integer(), (wanted, credits, seed) => {
          const spans = spansOf(wanted);
          const { held, worst } = drain(spans, credits, seed);
          const complete = spans.every((span) =>
            coversRange(held.get(`${span.incarnation}/${span.lane}`) ?? [], {
              first: 1,
              count: span.highestWritten,
            }),
          );
          return complete && worst <= credits;
        }),
        { numRuns: 200 },
      ),
    );
  },
);

t.test("I13 lane A goes first, in order, one batch at a time", async (t) => {
  const spans = spansOf([
    { lane: "C", count: 5_000, older: false },
    { lane: "A", count: 2_500, older: false },
    { lane: "A", count: 100, older: true },
  ]);
  const schedule = new LaneSchedule(INCARNATION, welcome(), spans);
  const first = schedule.next();
  t.match(first, { lane: "A", incarnation: OLDER, from: 1 });
  if (first === null) return;
  const ticket = schedule.sent(first, [{ first: 1, count: 100 }]);
  t.equal(schedule.next()?.lane, "C", "the rest flows beside it");
  schedule.answered(ticket, [{ first: 1, count: 100, outcome: "stored" }], Millis(5));
  t.match(schedule.next(), { lane: "A", incarnation: INCARNATION, from: 1 });
});

t.test("history is newest first, marked as history, and leaves room for what is live", async (t) => {
  const before = spansOf([{ lane: "C", count: 20_000, older: false }]);
  const schedule = new LaneSchedule(INCARNATION, welcome(), before);
  const newest = schedule.next();
  t.match(newest, { lane: "C", from: 19_001, history: "history" });
  for (let plan = newest; plan !== null; plan = schedule.next()) {
    schedule.sent(plan, [{ first: plan.from, count: 1_000 }]);
  }
  t.equal(schedule.inFlight, 4, "40 % of 12 credits");
  schedule.update(before.map((span) => ({ ...span, highestWritten: 20_050 })));
  t.match(schedule.next(), { lane: "C", from: 20_001, history: "live" });
});

t.test(
  "what is read between the session's begin and its snapshot is history, what comes after is live",
  async (t) => {
    const before = spansOf([
      { lane: "B", count: 100, older: false },
      { lane: "C", count: 100, older: false },
    ]);
    const upTo = (highestWritten: number) => before.map((span) => ({ ...span, highestWritten }));
    const schedule = new LaneSchedule(INCARNATION, welcome(), before);
    t.equal(schedule.next("evidence"), null, "until then lane A alone is sent");
    schedule.snapshotRead(upTo(150));
    schedule.update(upTo(160));
    t.match(schedule.next(), { lane: "B", from: 151, history: "live" });
    const plans = drainPlans(schedule);
    const history = plans.filter((plan) => plan.history === "history");
    t.same(
      history.map(({ lane, within }) => [lane, within.first, within.count]),
      [
        ["B", 1, 150],
        ["C", 1, 150],
      ],
    );
  },
);

t.test("history pauses while live batches are acknowledged slowly", async (t) => {
  const before = spansOf([{ lane: "B", count: 3_000, older: false }]);
  const schedule = new LaneSchedule(INCARNATION, welcome(), before);
  schedule.update(before.map((span) => ({ ...span, highestWritten: 3_010 })));
  const live = schedule.next();
  t.match(live, { history: "live", from: 3_001 });
  if (live === null) return;
  schedule.answered(
    schedule.sent(live, [{ first: 3_001, count: 10 }]),
    [{ first: 3_001, count: 10, outcome: "stored" }],
    Millis(2_500),
  );
  t.equal(schedule.next(), null);
});

t.test("records that the store no longer has are passed over, not asked for again and again", async (t) => {
  const schedule = new LaneSchedule(
    INCARNATION,
    welcome(),
    spansOf([{ lane: "B", count: 100, older: false }]),
  );
  const plan = schedule.next();
  if (plan === null) return t.fail("nothing to send");
  schedule.nothingThere(plan, { first: 1, count: 100 });
  return t.equal(schedule.next(), null);
});

/** All that would be sent if nothing was ever answered. */
function drainPlans(schedule: LaneSchedule): readonly SendPlan[] {
  const plans: SendPlan[] = [];
  for (let plan = schedule.next(); plan !== null; plan = schedule.next()) {
    plans.push(plan);
    schedule.sent(plan, [{ first: plan.from, count: plan.within.first + plan.within.count - plan.from }]);
  }
  return plans;
}

function spansOf(
  wanted: readonly { readonly lane: Lane; readonly count: number; readonly older: boolean }[],
): readonly LaneSpan[] {
  const spans = new Map<string, LaneSpan>();
  for (const { lane: name, count, older } of wanted) {
    const incarnation = older ? OLDER : INCARNATION;
    spans.set(`${incarnation}/${name}`, {
      incarnation,
      lane: name,
      lowestRetained: 1,
      highestWritten: count,
    });
  }
  return [...spans.values()].sort((left) => (left.incarnation === OLDER ? -1 : 1));
}

/** A center that loses some batches and answers the others in any order. */
function drain(spans: readonly LaneSpan[], credits: number, seed: number) {
  const random = seededRandom(seed);
  const schedule = new LaneSchedule(INCARNATION, welcome({ credits }), spans);
  const held = new Map<string, RangeSet>();
  const flying: Ticket[] = [];
  let worst = 0;
  for (let turn = 0; turn < 10_000; turn += 1) {
    const sent = sendNext(schedule, flying);
    worst = Math.max(worst, schedule.inFlight);
    if (sent === "sent" && random.next() < 0.5) continue;
    const [ticket] = flying.splice(Math.floor(random.next() * flying.length), 1);
    if (ticket === undefined && sent === "nothing") break;
    if (ticket !== undefined && random.next() < 0.3) schedule.failed(ticket);
    else if (ticket !== undefined) answer(schedule, ticket, held);
  }
  return { held, worst };
}

function sendNext(schedule: LaneSchedule, flying: Ticket[]): "sent" | "nothing" {
  const plan = schedule.next();
  if (plan === null) return "nothing";
  const end = plan.within.first + plan.within.count;
  const ranges = entriesFrom(plan.from, end).filter((range) => range.first >= plan.from);
  if (ranges.length === 0) schedule.nothingThere(plan, { first: plan.from, count: end - plan.from });
  else flying.push(schedule.sent(plan, ranges));
  return "sent";
}

function answer(schedule: LaneSchedule, ticket: Ticket, held: Map<string, RangeSet>): void {
  const outcomes = ticket.ranges.map((range) => ({ ...range, outcome: "stored" as const }));
  schedule.answered(ticket, outcomes, Millis(1));
  const key = `${ticket.plan.incarnation}/${ticket.plan.lane}`;
  for (const range of ticket.ranges) held.set(key, addRange(held.get(key) ?? [], range));
}

/** Entries stand on fixed borders, as in a store, whatever is asked: every 50 records. */
function entriesFrom(from: number, end: number) {
  const ranges: { readonly first: number; readonly count: number }[] = [];
  let records = 0;
  for (let first = Math.ceil((from - 1) / 50) * 50 + 1; first < end && records < 1_000; first += 50) {
    const count = Math.min(50, end - first);
    ranges.push({ first, count });
    records += count;
  }
  return ranges;
}
