import type { Evidence, ReadBackEvidence } from "../../domain/command.ts";
import { DeviceFault } from "../../domain/errors.ts";
import type { PointNumber } from "../../domain/ids.ts";
import type { PointValue } from "../../domain/reading.ts";
import { findUnmet } from "../../domain/safety/interlock.ts";
import { after, type Clock, Millis, since, type Uptime } from "../../domain/time.ts";
import type { Sample } from "../../drivers/driver.ts";
import type { Operation, OperationInterlock, OperationReadBack, OperationResult } from "./field-plan.ts";
import {
  agree,
  isDecided,
  judgeOperation,
  type Proof,
  proofOf,
  type WriteAnswer,
} from "./operation-verdict.ts";

/** Between read-backs: short at first, for most devices have acted by then. */
const FIRST_PAUSE = Millis(50);
const LATER_PAUSE = Millis(100);
/** Codes by which a unit says nothing at all. */
const SILENCES: readonly string[] = ["timeout", "connection-lost", "malformed-reply"];

/** The line as an operation sees it: its own until it ends, but for what it lends. */
export interface OperationLine {
  readonly clock: Clock;
  /** Aborts when the line or the host goes. */
  readonly signal: AbortSignal;
  /** One sample a point, in the fewest exchanges. A fault is a sample; throws only the abort reason. */
  read(points: readonly PointNumber[]): Promise<ReadonlyMap<PointNumber, Sample>>;
  /** Writes, or runs the action, before it returns its promise, which gives what an action returned. @throws {DeviceFault} */
  write(order: Pick<Operation, "point" | "value" | "args">): Promise<PointValue | undefined>;
  /** Keeps the line idle. */
  rest(duration: Millis): Promise<void>;
  /** Lets polls use the line, never another operation; up to one exchange longer than `duration`. */
  lend(duration: Millis): Promise<void>;
}

type Samples = ReadonlyMap<PointNumber, Sample>;

/** What an operation has seen so far. */
interface Attempt {
  readonly operation: Operation;
  readonly readBack: OperationReadBack;
  readonly before: readonly Proof[];
  readonly line: OperationLine;
}

/** Runs one operation (DESIGN §5). `signal`: whoever asked; ignored once the write has begun, but for waiting on. */
export async function runOperation(
  operation: Operation,
  line: OperationLine,
  signal: AbortSignal,
): Promise<OperationResult> {
  const readBack = operation.readBack ?? unproven(operation);
  if (line.clock.uptime() >= operation.deadline) return expired(operation, line.clock.uptime());
  const asked = line.clock.uptime();
  const samples = await readBefore(operation, line);
  if (samples === undefined || isOver(signal, line)) return withdrawn(line);
  const before = readBack.points.map((point) => proofOf(samples.get(point.number)));
  const attempt: Attempt = { operation, readBack, before, line };
  // I21, I33: the last steps before the write; nothing may be awaited between.
  const start = line.clock.uptime();
  const unmet = findUnmetInterlock(operation.interlock, samples, since(asked, start));
  if (unmet !== undefined) return { outcome: "rejected", cause: "blocked", detail: unmet };
  if (before.length > 0 && before.every(isSilence)) return neverWritten(attempt);
  if (start >= operation.deadline) return expired(operation, start);
  const answer = await write(operation, line);
  const seen = await watch(attempt, answer, signal);
  const verdict = judgeOperation(readBack.expected, answer, seen, readBack.tolerance);
  const acknowledged = answer.kind === "no-answer" ? null : answer.kind === "acknowledged";
  return {
    outcome: verdict.outcome,
    evidence: evidenceOf(attempt, { acknowledged, seen, start, detail: verdict.detail }),
  };
}

/** Reads back until what is seen decides, or was looked at when the window was over; the last that was seen. */
async function watch(
  attempt: Attempt,
  answer: WriteAnswer,
  signal: AbortSignal,
): Promise<readonly ReadBackEvidence[]> {
  const { line, readBack } = attempt;
  const windowEnd = after(line.clock.uptime(), readBack.within);
  let seen = compare(attempt, undefined);
  if (seen.length === 0 || !(await pause(line, () => line.rest(readBack.settle)))) return seen;
  for (let turn = 0; !isOver(signal, line); turn += 1) {
    const began = line.clock.uptime();
    const proofs = await readProofs(readBack, line);
    if (proofs === undefined) return seen;
    seen = compare(attempt, proofs);
    // On a busy line forty lamps may take longer than the window: what the look saw first was seen too early to count.
    if (isDecided(answer, seen, readBack.tolerance) || began >= windowEnd) return seen;
    const left = Math.max(0, since(line.clock.uptime(), windowEnd));
    const wait = Millis(Math.min(left, turn === 0 ? FIRST_PAUSE : LATER_PAUSE));
    if (!(await pause(line, () => line.lend(wait)))) return seen;
  }
  return seen;
}

async function write(operation: Operation, line: OperationLine): Promise<WriteAnswer> {
  try {
    const returned = await line.write(operation);
    return returned === undefined ? { kind: "acknowledged" } : { kind: "acknowledged", returned };
  } catch (error) {
    if (error instanceof DeviceFault) {
      const isRefusal = error.code === "refused-by-device" || error.code === "unknown-address";
      return { kind: isRefusal ? "refused" : "no-answer", fault: error };
    }
    if (!line.signal.aborted) throw error;
    const fault = new DeviceFault("connection-lost", "write while the line was given up", { cause: error });
    return { kind: "no-answer", fault };
  }
}

async function readProofs(
  readBack: OperationReadBack,
  line: OperationLine,
): Promise<readonly Proof[] | undefined> {
  const samples = await readOnce(readBack.points, line);
  return samples && readBack.points.map((point) => proofOf(samples.get(point.number)));
}

/** What proves the write and what must hold for it, in one go. */
function readBefore({ readBack, interlock }: Operation, line: OperationLine): Promise<Samples | undefined> {
  return readOnce([...(readBack?.points ?? []), ...(interlock?.conditions ?? [])], line);
}

/** `undefined` once the line is given up. */
async function readOnce(
  points: readonly { readonly number: PointNumber }[],
  line: OperationLine,
): Promise<Samples | undefined> {
  if (points.length === 0) return new Map();
  try {
    return await line.read([...new Set(points.map((point) => point.number))]);
  } catch (error) {
    if (line.signal.aborted) return undefined;
    throw error;
  }
}

/** Why nothing may be written, for people. `age`: of the oldest sample, at most. */
function findUnmetInterlock(
  interlock: OperationInterlock | null,
  samples: Samples,
  age: Millis,
): string | undefined {
  const unmet = findUnmet(interlock?.conditions ?? [], ({ number, pointId, maxAge }) => ({
    pointId,
    finding: age > maxAge ? { fault: "too-old" } : proofOf(samples.get(number)),
  }));
  return unmet === undefined ? undefined : `interlock ${interlock?.name}: ${unmet}. Nothing was written`;
}

/** Whether the pause came to its end; not when the line was given up meanwhile. */
async function pause(line: OperationLine, wait: () => Promise<void>): Promise<boolean> {
  try {
    await wait();
    return true;
  } catch (error) {
    if (!line.signal.aborted) throw error;
    return false;
  }
}

function compare(attempt: Attempt, proofs: readonly Proof[] | undefined): readonly ReadBackEvidence[] {
  const { readBack, before } = attempt;
  return readBack.points.map((point, index) => {
    const earlier = before[index] ?? { fault: "not-read" };
    const proof = proofs?.[index] ?? { fault: "not-read" };
    const value = "value" in proof ? proof.value : null;
    return {
      pointId: point.pointId,
      before: "value" in earlier ? earlier.value : null,
      value,
      agrees: value !== null && agree(readBack.expected, value, readBack.tolerance),
      ...("fault" in proof && { fault: proof.fault }),
    };
  });
}

function evidenceOf(
  attempt: Attempt,
  end: Pick<Evidence, "acknowledged" | "detail"> & {
    readonly seen: readonly ReadBackEvidence[];
    readonly start: Uptime;
  },
): Evidence {
  return {
    target: attempt.readBack.expected,
    acknowledged: end.acknowledged,
    readBacks: end.seen,
    took: since(end.start, attempt.line.clock.uptime()),
    detail: end.detail,
  };
}

function isOver(signal: AbortSignal, line: OperationLine): boolean {
  return signal.aborted || line.signal.aborted;
}

function isSilence(proof: Proof): boolean {
  return "fault" in proof && SILENCES.includes(proof.fault);
}

/** A write into silence may act at any later time, so it is not made. */
function neverWritten(attempt: Attempt): OperationResult {
  const { unitAddress, busId } = attempt.operation;
  const detail = `unit ${unitAddress} of bus ${busId} does not answer: nothing was written. Check its power and line`;
  const start = attempt.line.clock.uptime();
  const seen = compare(attempt, attempt.before);
  return { outcome: "failed", evidence: evidenceOf(attempt, { acknowledged: null, seen, start, detail }) };
}

function expired(operation: Operation, now: Uptime): OperationResult {
  const late = Math.round(since(operation.deadline, now));
  return {
    outcome: "expired",
    detail: `its turn on the bus came ${late} ms after the deadline: nothing was written`,
  };
}

function withdrawn(line: OperationLine): OperationResult {
  if (line.signal.reason instanceof DeviceFault) {
    const detail = "the line was lost before the write: nothing was written. Check the line, then try again";
    return { outcome: "rejected", cause: "busy", detail };
  }
  return {
    outcome: "rejected",
    cause: "shutting-down",
    detail: "withdrawn before its turn: nothing was written",
  };
}

/** Nothing shows the effect. */
function unproven({ value }: Operation): OperationReadBack {
  return { points: [], expected: value, tolerance: 0, within: Millis(0), settle: Millis(0) };
}
