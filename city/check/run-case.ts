import { after, type Clock, Millis, Seconds, since, type Uptime } from "../../domain/time.ts";
import { type CenterCommand, type CenterPreview, CenterRefusal } from "../center-client.ts";
import type { City } from "../city.ts";
import type { CommandCase, CommandCheck } from "./command-case.ts";
import { requested, unexpected } from "./journal-verdict.ts";

export interface CaseContext {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const END_WITHIN = Seconds(20);
/** The cabinets' state is polled every 10 s, and a city that was just started is behind. */
const LOOK_WITHIN = Seconds(60);

/** Does what belongs to the case, gives the order as an operator would, and holds its end against the journal. */
export async function runCase(city: City, each: CommandCase, context: CaseContext): Promise<CommandCheck> {
  try {
    await each.before?.();
    return await lookAndOrder(city, each, context);
  } finally {
    await each.afterwards?.();
  }
}

/** Looks as often as the center asks for it. */
async function lookAndOrder(city: City, each: CommandCase, context: CaseContext): Promise<CommandCheck> {
  const lookUntil = after(context.clock.uptime(), LOOK_WITHIN);
  const mayLookAgain = each.stands !== undefined && each.between === undefined;
  for (;;) {
    const seen = each.stands === undefined ? null : await look(city, each, { ...context, lookUntil });
    if (seen === undefined)
      return unordered(
        each,
        `the center did not show within ${LOOK_WITHIN / 1_000} s what was to be confirmed`,
      );
    await each.between?.();
    try {
      return await order(city, each, { ...context, seen });
    } catch (error) {
      if (!mayLookAgain || !isToLookAgain(error)) throw error;
    }
  }
}

async function order(
  city: City,
  each: CommandCase,
  { clock, signal, seen }: CaseContext & { readonly seen: CenterPreview | null },
): Promise<CommandCheck> {
  const { name, gatewayId, pointId, value, expected, ttlMs, freeze } = each;
  const program = city.gatewayProgram(gatewayId);
  const position = await city.journal.position();
  const start = clock.uptime();
  if (freeze !== undefined) program.kill("SIGSTOP");
  try {
    const ttl = ttlMs === undefined ? {} : { ttlMs };
    const confirm = seen?.preview == null ? {} : { confirm: { preview: seen.preview } };
    const given = await city.client.command({ gatewayId, pointId, value, ...ttl, ...confirm });
    if (freeze !== undefined) await clock.sleep(freeze, signal);
    program.kill("SIGCONT");
    const ended = await waitForEnd(city, given, { clock, signal });
    const tookMs = Math.round(since(start, clock.uptime()));
    const effects = requested(await city.journal.since(position));
    const end = describe(ended);
    const problems = [
      ...(end === expected ? [] : [`ended as ${end}, expected ${expected}: ${detailOf(ended)}`]),
      ...(tookMs > (each.within ?? Number.POSITIVE_INFINITY) ? [`took ${tookMs} ms, not at once`] : []),
      ...unexpected(each.moves, effects),
    ];
    const states = ended.history.map((step) => step.state);
    const told = effects.map(({ device, what, from, to }) => `${device} ${what} ${from} → ${to}`);
    return { name, gatewayId, pointId, value, expected, end, states, tookMs, effects: told, problems };
  } finally {
    program.kill("SIGCONT");
  }
}

/** What a person sees before a hazardous order, once it is as the case wants it. */
async function look(
  city: City,
  { gatewayId, pointId, stands = {} }: CommandCase,
  { clock, signal, lookUntil }: CaseContext & { readonly lookUntil: Uptime },
): Promise<CenterPreview | undefined> {
  while (clock.uptime() < lookUntil) {
    const seen = await city.client.preview(gatewayId, pointId);
    const isSo = ({ pointId: id, value }: CenterPreview["points"][number]): boolean =>
      stands[id] === undefined || stands[id] === value;
    if (seen.preview !== null && seen.points.every(isSo)) return seen;
    await clock.sleep(Millis(100), signal);
  }
  return undefined;
}

/** What was seen does not stand any more, or is not known well enough since: nothing was ordered, a person looks once more. */
function isToLookAgain(error: unknown): boolean {
  return error instanceof CenterRefusal && error.status === 409;
}

function unordered(
  { name, gatewayId, pointId, value, expected }: CommandCase,
  problem: string,
): CommandCheck {
  const nothing = { end: "not ordered", states: [], tookMs: 0, effects: [] };
  return { name, gatewayId, pointId, value, expected, ...nothing, problems: [problem] };
}

export async function waitForEnd(
  city: City,
  given: CenterCommand,
  { clock, signal }: CaseContext,
  within: Millis = END_WITHIN,
): Promise<CenterCommand> {
  const start = clock.uptime();
  for (let current = given; ; current = await city.client.findCommand(given.id)) {
    if (city.client.isOver(current) || since(start, clock.uptime()) > within) return current;
    await clock.sleep(Millis(25), signal);
  }
}

function describe(command: CenterCommand): string {
  const cause = command.state["cause"];
  return typeof cause === "string" ? `${command.state.name} (${cause})` : command.state.name;
}

function detailOf({ state }: CenterCommand): string {
  return JSON.stringify(state["detail"] ?? state["evidence"] ?? "no detail");
}
