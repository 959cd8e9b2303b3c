import fc from "fast-check";
import t from "tap";
import { K1_BUDGET_MAX } from "../../cloud-sync/dispatch/command-limits.ts";
import type { CommandRecord } from "../../cloud-sync/dispatch/command-record.ts";
import { decideNext } from "../../cloud-sync/dispatch/dispatch-machine.ts";
import type { Circumstances } from "../../cloud-sync/dispatch/dispatch-step.ts";
import { type CommandState, isEnd } from "../../domain/command.ts";
import { applyVerdict, canMove } from "../../domain/command-machine.ts";
import { CommandId, GatewayId, PointId } from "../../domain/ids.ts";
import type { Preview } from "../../domain/safety/preview.ts";
import { Instant, Millis } from "../../domain/time.ts";
import { PROOF } from "./dispatch-for-tests.ts";

const point = {
  type: "number",
  unit: "%",
  access: "read-write",
  range: { min: 0, max: 100 },
  commandClass: "K1",
} as const;

const commandOf = (changes: Partial<CommandRecord> = {}): CommandRecord => ({
  id: CommandId("0190a0b0-0000-7000-8000-000000000000"),
  gatewayId: GatewayId("gw-test"),
  pointId: PointId("lamp-1/dim-level"),
  value: 40,
  args: [],
  commandClass: "K1",
  origin: "center",
  issuedBy: "operator/test",
  createdAt: Instant(0),
  ttl: Millis(60_000),
  generation: 1,
  sequence: 1,
  authorizedAt: null,
  sent: null,
  confirmed: null,
  operatedAt: null,
  state: { name: "draft" },
  changedAt: Instant(0),
  resolution: null,
  ...changes,
});

type Event =
  | { readonly kind: "look"; readonly circumstances: Circumstances }
  | { readonly kind: "verdict"; readonly state: CommandState; readonly session: string | null };

const session = fc.constantFrom("1.1", "1.2", "1.3");
const live = fc.record({
  session,
  token: fc.constant("ab".repeat(16)),
  tokenAge: fc.integer({ min: 0, max: 90_000 }).map(Millis),
  actions: fc.constantFrom(["write", "select", "operate"], ["write", "select", "operate"], ["write"], []),
});
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: null });
const millis = fc.integer({ min: 0, max: 300_000 }).map(Millis);
const circumstances: fc.Arbitrary<Circumstances> = fc
  .record({
    generation: fc.constantFrom(1, 1, 1, 2),
    now: fc.integer({ min: 0, max: 1e12 }).map(Instant),
    point: fc.constantFrom(point, point, undefined),
    link: maybe(live),
    session: maybe(session),
    age: millis,
    toldAllAfter: maybe(millis),
    sentFor: maybe(millis),
    selectedFor: maybe(millis),
  })
  .map((each) => ({ ...each, session: each.link?.session ?? each.session }));
const CONFIRMED: Preview = [{ pointId: "lamp-1/dim-level", value: 0, quality: "good", ageMs: 900 }];
const CHANGED: Preview = [{ pointId: "lamp-1/dim-level", value: 7, quality: "good", ageMs: 3 }];
const selection = fc.constantFrom<CommandState[]>(
  { name: "selected", preview: CONFIRMED },
  { name: "selected", preview: CONFIRMED },
  { name: "selected", preview: CHANGED },
);
const verdict: fc.Arbitrary<CommandState> = fc.constantFrom<CommandState[]>(
  { name: "executing" },
  { name: "succeeded", evidence: PROOF },
  { name: "failed", evidence: PROOF },
  { name: "outcome-unknown", evidence: PROOF },
  { name: "rejected", cause: "blocked", detail: "" },
  { name: "expired", where: "gateway", detail: "" },
  { name: "superseded", by: "another" },
);
/** Nothing in the way: else random runs seldom get as far as OPERATE. */
const SMOOTH: Circumstances = {
  generation: 1,
  now: Instant(0),
  point,
  link: {
    session: "1.1",
    token: "ab".repeat(16),
    tokenAge: Millis(100),
    actions: ["write", "select", "operate"],
  },
  session: "1.1",
  age: Millis(1_000),
  toldAllAfter: null,
  sentFor: Millis(500),
  selectedFor: Millis(100),
};
const NEXT_SESSION: Circumstances = {
  ...SMOOTH,
  session: "1.2",
  link: SMOOTH.link && { ...SMOOTH.link, session: "1.2" },
};
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.constant({ kind: "look" as const, circumstances: NEXT_SESSION }),
  { weight: 3, arbitrary: fc.constant({ kind: "look" as const, circumstances: SMOOTH }) },
  circumstances.map((each) => ({ kind: "look" as const, circumstances: each })),
  fc.record({ kind: fc.constant("verdict" as const), state: verdict, session: maybe(session) }),
  fc.record({ kind: fc.constant("verdict" as const), state: selection, session: fc.constant("1.1") }),
);

/** Half of the runs begin with the order on its way. */
const beginning: fc.Arbitrary<readonly Event[]> = fc
  .constantFrom(0, 3)
  .map((count) => Array.from({ length: count }, () => ({ kind: "look" as const, circumstances: SMOOTH })));

interface Run {
  readonly command: CommandRecord;
  /** What left, in order. */
  readonly sends: readonly ("write" | "select" | "operate")[];
}

/** What the stepper and the verdict sink do, without a database. */
function take({ command, sends }: Run, each: Event): Run {
  if (each.kind === "verdict") {
    const judgedIn = { session: each.session, sentIn: command.sent?.session ?? null };
    return { command: { ...command, state: applyVerdict(command.state, each.state, judgedIn) }, sends };
  }
  const step = decideNext(command, each.circumstances);
  if (step.kind === "wait") return { command, sends };
  if (step.kind === "move") {
    if (!canMove("center", command.state.name, step.to.name))
      throw new Error(`decided ${command.state.name} → ${step.to.name}, which the table lacks`);
    return { command: { ...command, state: step.to }, sends };
  }
  const { action, session: over, budget } = step;
  const { now: at } = each.circumstances;
  const state: CommandState = { name: "sent", session: over, ...(action !== "write" && { action }) };
  if (!canMove("center", command.state.name, "sent")) throw new Error(`sent from ${command.state.name}`);
  const left = action === "operate" ? { operatedAt: at } : { sent: { at, session: over, budget } };
  return { command: { ...command, ...left, state }, sends: [...sends, action] };
}

/** Whether the gateway itself said that it executes: then it acted, whatever the center thinks it sent. */
function isHandsOff({ state }: CommandRecord): boolean {
  return state.name === "executing" || state.name === "outcome-pending";
}

const commandClass = fc.constantFrom("K1" as const, "K2" as const, "K3" as const);
const property = (name: string, check: (before: Run, each: Event, after: Run) => boolean) =>
  t.test(name, (t) => {
    const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
    t.comment(`SEED=${seed}`);
    fc.assert(
      fc.property(commandClass, beginning, fc.array(event, { maxLength: 22 }), (klass, first, events) => {
        const confirmed = klass === "K3" ? CONFIRMED : null;
        let run: Run = { command: commandOf({ commandClass: klass, confirmed }), sends: [] };
        for (const each of [...first, ...events]) {
          const after = take(run, each);
          if (!check(run, each, after)) return false;
          run = after;
        }
        return true;
      }),
      { seed, numRuns: 2_000 },
    );
    t.pass();
    t.end();
  });

property("I27 a command that is over stays over, whatever comes", (before, _each, after) =>
  isEnd(before.command.state) ? after.command.state === before.command.state : true,
);
property("I22 a command is sent at most once to act, whatever comes", (_before, _each, { command, sends }) =>
  command.commandClass === "K3"
    ? ["", "select", "select,operate"].includes(sends.join())
    : ["", "write"].includes(sends.join()),
);
property(
  "I36 OPERATE leaves only in the session of its SELECT, for what was confirmed, over a link of at most 7 s",
  (before, each, after) => {
    if (after.sends.length === before.sends.length || after.sends.at(-1) !== "operate") return true;
    if (each.kind !== "look" || before.command.state.name !== "selected") return false;
    const { link, selectedFor } = each.circumstances;
    return (
      before.command.state.preview === CONFIRMED &&
      link?.session === before.command.sent?.session &&
      (link?.tokenAge ?? Number.NaN) <= 7_000 &&
      (selectedFor ?? 0) <= 5_000
    );
  },
);
property(
  "I25 a hazardous command that ends without OPERATE is never unknown by time",
  (before, each, after) => {
    if (each.kind !== "look" || each.circumstances.generation > 1) return true;
    const { commandClass: klass, operatedAt, state } = after.command;
    if (klass !== "K3" || operatedAt !== null || state === before.command.state) return true;
    return isHandsOff(before.command) || !["outcome-pending", "outcome-unknown"].includes(state.name);
  },
);
property("a kind of order that the gateway did not announce never leaves", (before, each, after) => {
  if (after.sends.length === before.sends.length || each.kind !== "look") return true;
  const left = after.sends.at(-1) ?? "write";
  return left === "operate" || (each.circumstances.link?.actions ?? []).includes(left);
});
property(
  "I21 what is sent leaves with no more time than it has, and a token younger than that",
  (before, each, after) => {
    if (after.sends.length === before.sends.length || each.kind !== "look") return true;
    if (after.sends.at(-1) === "operate") return 60_000 - each.circumstances.age > 0;
    const { link, age } = each.circumstances;
    const budget = after.command.sent?.budget ?? Number.NaN;
    const bounded = after.command.commandClass !== "K1" || budget <= K1_BUDGET_MAX;
    return bounded && budget + age <= 60_000 && budget > 0 && (link?.tokenAge ?? Number.NaN) < budget;
  },
);
property("I28 K2 and K3 never wait without a live link", (_before, each, after) => {
  const { commandClass: klass, state } = after.command;
  if (klass === "K1" || each.kind !== "look" || each.circumstances.link !== null) return true;
  const looked = decideNext(after.command, each.circumstances);
  return !["authorized", "queued"].includes(state.name) || looked.kind === "move";
});
property("I26 time alone makes of a sent command nothing but an unknown outcome", (before, each, after) => {
  if (each.kind !== "look" || before.command.sent === null) return true;
  const { state, commandClass: klass, operatedAt } = after.command;
  // A hazardous one that was only selected is over without effect: see I25.
  if (klass === "K3" && (operatedAt === null || before.command.operatedAt === null)) return true;
  return state === before.command.state || ["outcome-pending", "outcome-unknown"].includes(state.name);
});
property("I37 a later generation sends nothing that an earlier one took", (before, each, after) =>
  each.kind === "look" && each.circumstances.generation > 1 && before.command.state.name !== "draft"
    ? after.sends.length === before.sends.length
    : true,
);

t.test("K3 is refused by what comes first: no link, an old token, an old gateway, no confirmation", (t) => {
  const authorized = commandOf({ commandClass: "K3", state: { name: "authorized" }, ttl: Millis(10_000) });
  const common = {
    generation: 1,
    now: Instant(0),
    point,
    session: null,
    age: Millis(0),
    toldAllAfter: null,
    sentFor: null,
    selectedFor: null,
  };
  const link = { session: "1.1", token: "ab".repeat(16), actions: ["write", "select", "operate"] };
  const cases = [
    { link: null, cause: "offline" },
    { link: { ...link, tokenAge: Millis(7_001) }, cause: "stale-link" },
    { link: { ...link, tokenAge: Millis(7_000), actions: ["write"] }, cause: "unsupported" },
    { link: { ...link, tokenAge: Millis(7_000) }, cause: "preview-changed" },
  ];
  for (const { cause, ...each } of cases) {
    t.match(
      decideNext(authorized, { ...common, ...each }),
      { kind: "move", to: { name: "rejected", cause } },
      cause,
    );
  }
  t.end();
});
