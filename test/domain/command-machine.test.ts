import fc from "fast-check";
import t from "tap";
import { type CommandState, END_STATES, isEnd } from "../../domain/command.ts";
import { advance, applyVerdict, canMove, type Side } from "../../domain/command-machine.ts";
import { Instant, Millis } from "../../domain/time.ts";

const SEEN = { target: 40, acknowledged: true, readBacks: [], took: Millis(5), detail: "read back 40" };
/** One of each. */
const STATES: readonly CommandState[] = [
  { name: "draft" },
  { name: "awaiting-approval", until: Instant(1) },
  { name: "authorized" },
  { name: "queued" },
  { name: "sent", session: "1.1" },
  { name: "outcome-pending", since: Instant(1), why: "no-verdict" },
  { name: "selected", preview: [] },
  { name: "executing" },
  { name: "succeeded", evidence: SEEN },
  { name: "failed", evidence: SEEN },
  { name: "rejected", cause: "busy", detail: "" },
  { name: "expired", where: "gateway", detail: "" },
  { name: "cancelled", by: "anna" },
  { name: "superseded", by: "1.2" },
  { name: "outcome-unknown", evidence: SEEN },
];
const state = fc.constantFrom(...STATES);
const side = fc.constantFrom<Side>("center", "gateway");

t.test("I27 a command that is over stays over, whatever comes", (t) => {
  const session = fc.constantFrom(null, "1.1", "1.2");
  const move = fc.record({ side, next: state, judged: session, sent: session });
  const result = fc.check(
    fc.property(fc.array(move, { minLength: 1, maxLength: 30 }), (moves) => {
      let current: CommandState = { name: "draft" };
      for (const each of moves) {
        const before: CommandState = current;
        current = applyVerdict(current, each.next, { session: each.judged, sentIn: each.sent });
        if (canMove(each.side, current.name, each.next.name))
          current = advance(each.side, current, each.next);
        if (isEnd(before) && current !== before) return false;
      }
      return true;
    }),
    { numRuns: 2_000 },
  );
  t.comment(`SEED=${result.seed}`);
  t.equal(result.failed, false, fc.defaultReportMessage(result) ?? "");
  t.end();
});

t.test("every end is final on both sides, and every other state leads on at the center", (t) => {
  for (const each of STATES) {
    const onward = STATES.filter((next) => canMove("center", each.name, next.name));
    t.equal(onward.length === 0, isEnd(each), `${each.name} at the center`);
    if (isEnd(each))
      t.notOk(
        STATES.some((next) => canMove("gateway", each.name, next.name)),
        each.name,
      );
  }
  t.same(
    STATES.filter(isEnd).map(({ name }) => name),
    END_STATES,
  );
  t.end();
});

t.test("the tables hold what PROTOCOL §8 says, and no shortcut", (t) => {
  const cases: readonly (readonly [Side, CommandState["name"], CommandState["name"], "may" | "may not"])[] = [
    ["center", "draft", "awaiting-approval", "may"],
    ["center", "awaiting-approval", "authorized", "may"],
    ["center", "awaiting-approval", "sent", "may not"],
    ["center", "authorized", "sent", "may not"],
    ["center", "authorized", "queued", "may"],
    ["center", "queued", "sent", "may"],
    ["center", "queued", "succeeded", "may not"],
    ["center", "sent", "outcome-pending", "may"],
    ["center", "sent", "queued", "may not"],
    ["center", "outcome-pending", "succeeded", "may"],
    ["center", "outcome-pending", "sent", "may not"],
    ["gateway", "draft", "executing", "may"],
    ["gateway", "draft", "succeeded", "may not"],
    ["gateway", "selected", "executing", "may"],
    ["gateway", "executing", "outcome-unknown", "may"],
    ["gateway", "executing", "superseded", "may not"],
    ["gateway", "executing", "cancelled", "may not"],
    ["gateway", "sent", "executing", "may not"],
  ];
  for (const [who, from, to, verdict] of cases)
    t.equal(canMove(who, from, to), verdict === "may", `${who}: ${from} → ${to}`);
  t.throws(() => advance("gateway", { name: "executing" }, { name: "superseded", by: "x" }), {
    name: "RangeError",
    message: "the gateway can not move a command from executing to superseded",
  });
  t.end();
});

t.test("a verdict is proof in its own session; a no-effect that was judged later proves nothing", (t) => {
  const sent: CommandState = { name: "sent", session: "1.1" };
  const own = { session: "1.1", sentIn: "1.1" };
  const later = { session: "1.2", sentIn: "1.1" };
  for (const verdict of STATES.filter(isEnd)) {
    t.equal(applyVerdict(sent, verdict, own), verdict, `${verdict.name} in its own session`);
    const claimsNoEffect = ["rejected", "expired", "superseded", "cancelled"].includes(verdict.name);
    const made = applyVerdict(sent, verdict, later);
    if (claimsNoEffect)
      t.match(made, { name: "outcome-unknown", evidence: { detail: new RegExp(verdict.name) } });
    else t.equal(made, verdict, `I26 ${verdict.name} was seen on the bus, whenever it is told`);
  }
  t.equal(
    applyVerdict(sent, { name: "rejected", cause: "busy", detail: "" }, { session: null, sentIn: null }).name,
    "outcome-unknown",
  );
  const pending: CommandState = { name: "outcome-pending", since: Instant(1), why: "session-changed" };
  t.equal(applyVerdict(pending, { name: "executing" }, own).name, "executing");
  const executing: CommandState = { name: "executing" };
  t.equal(applyVerdict(executing, sent, own), executing, "what the table lacks changes nothing");
  t.end();
});
