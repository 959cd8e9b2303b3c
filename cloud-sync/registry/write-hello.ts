import { parseSession, type SyncSession } from "../../domain/session-id.ts";
import type { Instant } from "../../domain/time.ts";
import type { Hello } from "../../domain/wire/hello.ts";
import { WireError } from "../../domain/wire/wire-error.ts";
import type { Transaction } from "../store/database.ts";
import { raiseAlarm } from "../store/tables/alarms.ts";
import { type Cursor, listCursors } from "../store/tables/cursors.ts";
import { declareGap } from "../store/tables/events.ts";
import { addIncarnations, findIncarnation, listIncarnations } from "../store/tables/incarnations.ts";
import { type LockedLink, offerSession } from "../store/tables/sync-sessions.ts";
import { addTimeSample } from "../store/tables/time-samples.ts";
import { judgeLineage, type LineageJudgement } from "./lineage.ts";

export interface AnsweredHello {
  readonly session: SyncSession;
  readonly cursors: readonly Cursor[];
  readonly catalogueHash: string | null;
}

interface TakenHello {
  readonly link: LockedLink;
  readonly hello: Hello;
  readonly generation: number;
  readonly at: Instant;
}

/** Writes down what a HELLO tells, and the session it is offered. */
export async function writeHello(
  tx: Transaction,
  taken: TakenHello,
): Promise<AnsweredHello | "generation-behind"> {
  const { link, hello, generation, at } = taken;
  const gatewayNo = link.gateway_no;
  const seen = hello.highestSession === null ? null : parseSession(hello.highestSession);
  if (seen !== null && seen.generation > generation) {
    const detail = `it has seen generation ${seen.generation}, and this center's is ${generation}: put the center's generation file back`;
    await raiseAlarm(tx, { gatewayNo, name: "generation-behind", subject: "sync session", detail, at });
    return "generation-behind";
  }
  const cursors = await listCursors(tx, gatewayNo);
  const incarnationNo = await writeLineage(tx, taken, cursors);
  await addTimeSample(tx, incarnationNo, { uptimeMs: hello.uptimeMs, offsetMs: at - hello.uptimeMs });
  const issued = link.issued_generation === generation ? link.issued_counter : 0;
  const heard = seen !== null && seen.generation === generation ? seen.counter : 0;
  const session = { generation, counter: Math.max(issued, heard) + 1 };
  await offerSession(tx, { gatewayNo, session, incarnationNo, hello, at });
  const asked = new Set([
    ...hello.lineage.map((entry) => entry.incarnation),
    ...hello.lanes.map((each) => each.incarnation),
  ]);
  return {
    session,
    cursors: cursors.filter((cursor) => asked.has(cursor.incarnation)),
    catalogueHash: link.catalogue_hash,
  };
}

/** Adds what is new of the lineage and says what is wrong with it. Returns the number of the HELLO's incarnation. */
async function writeLineage(
  tx: Transaction,
  { link, hello, at }: TakenHello,
  cursors: readonly Cursor[],
): Promise<number> {
  const gatewayNo = link.gateway_no;
  const known = await listIncarnations(tx, gatewayNo);
  const judged = judgeLineage(known, hello.lineage, (incarnation, lane) => {
    const cursor = cursors.find((each) => each.incarnation === incarnation && each.lane === lane);
    const last = cursor?.ranges.at(-1);
    return last === undefined ? 0 : last.first + last.count - 1;
  });
  const fromOrder = (known.at(-1)?.lineage_order ?? 0) + 1;
  await addIncarnations(tx, { gatewayNo, entries: judged.added, fromOrder, at });
  await raiseLineageAlarms(tx, judged, { gatewayNo, at, cursors });
  const own = await findIncarnation(tx, gatewayNo, hello.incarnation);
  if (own === undefined) throw new WireError("bad-schema", "HELLO at /incarnation: not in its lineage");
  return own.incarnation_no;
}

async function raiseLineageAlarms(
  tx: Transaction,
  judged: LineageJudgement,
  context: { readonly gatewayNo: number; readonly at: Instant; readonly cursors: readonly Cursor[] },
): Promise<void> {
  const { gatewayNo, at } = context;
  if (judged.fork !== null) {
    const detail = `${judged.fork}: it was put back from a backup, or its card was copied; look for a second gateway`;
    await raiseAlarm(tx, { gatewayNo, name: "lineage-fork", subject: "store", detail, at });
  }
  if (!judged.storeLost) return;
  const detail =
    "it comes with a new store: records of the old one that were not told yet are lost, see the declared gaps";
  await raiseAlarm(tx, { gatewayNo, name: "store-lost", subject: "store", detail, at });
  // PROTOCOL §5: an open gap per lane, from the last sequence the center holds.
  for (const { incarnation, lane, ranges } of context.cursors) {
    const last = ranges.at(-1);
    const first = last === undefined ? 1 : last.first + last.count;
    await declareGap(tx, {
      gatewayNo,
      incarnation,
      lane,
      first,
      count: null,
      reason: "the store was lost",
      declaredBy: "center",
      at,
    });
  }
}
