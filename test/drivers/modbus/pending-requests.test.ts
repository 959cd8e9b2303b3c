import t from "tap";
import { DeviceFault } from "../../../domain/errors.ts";
import { Instant, Millis, Uptime } from "../../../domain/time.ts";
import { type PendingRequest, PendingRequests } from "../../../drivers/modbus/pending-requests.ts";

/** A clock of a process that can stand still: its timers run when the test says so, however late. */
function standingClock() {
  const state = { uptime: 0, timers: [] as (() => void)[] };
  const clock = {
    now: () => Instant(0),
    uptime: () => Uptime(state.uptime),
    sleep: async () => undefined,
    schedule: (_: Millis, callback: () => void) => {
      state.timers.push(callback);
      return () => {
        state.timers = state.timers.filter((each) => each !== callback);
      };
    },
  };
  const runTimersAt = (uptime: number): void => {
    state.uptime = uptime;
    for (const timer of state.timers.splice(0)) timer();
  };
  return { clock, runTimersAt };
}

function asked() {
  const { clock, runTimersAt } = standingClock();
  const pending = new PendingRequests(clock, Millis(1_000));
  const faults: unknown[] = [];
  const request: PendingRequest = {
    label: "read",
    signal: new AbortController().signal,
    reject: (reason) => void faults.push(reason),
    isSettled: false,
    slot: -1,
    transactionId: -1,
    unit: 1,
    functionCode: 3,
    cancelTimer: undefined,
  };
  pending.reserve(request);
  pending.start(request);
  return { pending, request, faults, runTimersAt };
}

t.test("a request times out when its time is over", async (t) => {
  const { faults, runTimersAt } = asked();
  runTimersAt(1_005);
  t.match(faults, [{ code: "timeout" }]);
  t.ok(faults[0] instanceof DeviceFault);
});

t.test("a process that stood still first reads what came meanwhile", async (t) => {
  const { pending, request, faults, runTimersAt } = asked();
  runTimersAt(1_800);
  t.same(faults, [], "its timer came late, so the answer may lie unread");
  t.equal(pending.take(request.transactionId), request, "and is taken");
  runTimersAt(2_500);
  t.same(faults, []);
});

t.test("that is waited for once: then it has timed out, however late it is", async (t) => {
  const { faults, runTimersAt } = asked();
  runTimersAt(1_800);
  runTimersAt(5_000);
  t.match(faults, [{ code: "timeout" }]);
});
