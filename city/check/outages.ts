import { type Clock, Millis, Seconds, since, type Uptime } from "../../domain/time.ts";
import type { City } from "../city.ts";
import { DIJON } from "../city-plan.ts";
import type { CutLine } from "../cut-line.ts";
import type { CommandCheck } from "./command-case.ts";
import { areLevelsGood, goodPointsOf, waitFor } from "./completeness.ts";
import { offlineCase } from "./feeder-cases.ts";
import { requested } from "./journal-verdict.ts";
import { runCase } from "./run-case.ts";

/** Something was taken away and came back. */
export interface OutageCheck {
  readonly name: string;
  readonly gatewayId: string;
  /** Until the center vouched for none of its points any more, ms; null: it went on vouching. */
  readonly unknownAfterMs: number | null;
  /** From the moment it could come back until every lamp and cabinet was good again, ms; null: not in time. */
  readonly goodAgainAfterMs: number | null;
  readonly problems: readonly string[];
}

export interface OutageContext {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Three missed heartbeats of 5 s, and a look. */
const UNKNOWN_WITHIN = Seconds(30);
const GOOD_WITHIN = Seconds(90);

/** SIGKILL to the core of Dijon; it is started again on its store once the center has noticed. */
export async function killDijon(city: City, context: OutageContext): Promise<OutageCheck> {
  const { clock } = context;
  const program = city.gatewayProgram(DIJON);
  const from = clock.uptime();
  program.kill("SIGKILL");
  const unknown = await untilUnknown(city, DIJON, { ...context, from });
  const back = clock.uptime();
  await city.restartGateway(DIJON, "SIGKILL");
  const good = await untilGood(city, back, context);
  return outage("core of Dijon killed", DIJON, unknown, good);
}

/**
 * One municipality without link: its gateway works on, the center refuses hazardous orders at once and says that it does
 * not know. What was refused does not come after all when the link is back.
 */
export async function cutLink(
  city: City,
  line: CutLine,
  context: OutageContext,
): Promise<{ readonly outage: OutageCheck; readonly command: CommandCheck }> {
  const position = await city.journal.position();
  let from = context.clock.uptime();
  const cut = (): void => {
    from = context.clock.uptime();
    line.proxy.cut();
  };
  const command = await runCase(city, offlineCase(city, line.gatewayId, { ...context, cut }), context);
  // If the order could not even be given, the link is still whole.
  if (command.states.length === 0) cut();
  const unknown = await untilUnknown(city, line.gatewayId, { ...context, from });
  const taken = await neighboursDown(city, line.gatewayId);
  line.proxy.mend();
  const good = await untilGood(city, context.clock.uptime(), context);
  const late = requested(await city.journal.since(position));
  const check = outage("link cut", line.gatewayId, unknown, good);
  const problems = [
    ...check.problems,
    ...taken.map((id) => `${id} was taken along`),
    ...late.map(({ device, what }) => `${device} ${what} moved, though nobody could order it`),
  ];
  return { outage: { ...check, problems }, command };
}

/** Gateways of the same process whose points are unknown too. */
async function neighboursDown(city: City, gatewayId: string): Promise<readonly string[]> {
  const ids = city.gatewayProgram(gatewayId).ready.map(({ id }) => id);
  const down: string[] = [];
  for (const id of ids.filter((id) => id !== gatewayId))
    if ((await goodPointsOf(city, id)) === 0) down.push(id);
  return down;
}

function outage(
  name: string,
  gatewayId: string,
  unknownAfterMs: number | null,
  goodAgainAfterMs: number | null,
): OutageCheck {
  const problems: string[] = [];
  if (unknownAfterMs === null)
    problems.push(`its points were still good at the center after ${UNKNOWN_WITHIN / 1_000} s`);
  if (goodAgainAfterMs === null) problems.push(`not good again within ${GOOD_WITHIN / 1_000} s`);
  return { name, gatewayId, unknownAfterMs, goodAgainAfterMs, problems };
}

async function untilUnknown(
  city: City,
  gatewayId: string,
  { clock, signal, from }: OutageContext & { readonly from: Uptime },
): Promise<number | null> {
  while ((await goodPointsOf(city, gatewayId)) > 0) {
    if (since(from, clock.uptime()) > UNKNOWN_WITHIN) return null;
    await clock.sleep(Millis(250), signal);
  }
  return Math.round(since(from, clock.uptime()));
}

async function untilGood(city: City, from: Uptime, { clock, signal }: OutageContext): Promise<number | null> {
  const isSo = (counts: Parameters<typeof areLevelsGood>[0]): boolean => areLevelsGood(counts, city);
  const { at } = await waitFor(city, { isSo, within: GOOD_WITHIN, clock, signal });
  return at === null ? null : Math.round(since(from, at));
}
