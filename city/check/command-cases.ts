import { type Clock, Millis, Seconds, since } from "../../domain/time.ts";
import type { PlacedCabinet } from "../../simulators/city/placement.ts";
import type { CenterCommand } from "../center-client.ts";
import type { City } from "../city.ts";
import { DIJON } from "../city-plan.ts";
import type { Effect } from "../journal-client.ts";

export interface CommandCheck {
  readonly name: string;
  readonly gatewayId: string;
  readonly pointId: string;
  readonly value: number | boolean;
  readonly expected: string;
  /** End state at the center, with the cause of a refusal. */
  readonly end: string;
  readonly states: readonly string[];
  readonly tookMs: number;
  /** What changed meanwhile in the devices' own journal. */
  readonly effects: readonly string[];
  readonly problems: readonly string[];
}

/** An order and what must come of it. */
export interface CommandCase {
  readonly name: string;
  readonly gatewayId: string;
  readonly pointId: string;
  readonly value: number | boolean;
  readonly ttlMs?: number;
  readonly expected: string;
  /** Devices that the journal must show at `shown` afterwards, each by exactly one change. */
  readonly moves: readonly string[];
  /** What moves, as the journal calls it. */
  readonly what: string;
  readonly shown: number;
  /**
   * Holds the gateway's core still this long while the order is given: it is sent, waits in the socket beyond the
   * time for which it was wanted, and must then move nothing.
   */
  readonly freeze?: Millis;
}

const END_WITHIN = Seconds(20);

/** One order of each class that the city's equipment has today, one to a whole group, and the refusals. */
export function commandCases(city: City): readonly CommandCase[] {
  const dijon = city.plan.municipalities.find(({ gatewayId }) => gatewayId === DIJON);
  const [one, two] = [...(dijon?.cabinets ?? []), ...(dijon?.cabinets ?? [])];
  if (one === undefined || two === undefined) throw new RangeError("the city has no cabinet in Dijon");
  const lamp = (cabinet: PlacedCabinet, index: number): string => cabinet.lamps[index]?.id ?? "";
  const group = one.groups[0];
  const members = group?.shortAddresses.map((address) => lamp(one, address)) ?? [];
  const base = { gatewayId: DIJON, what: "level", moves: [] };
  const level = (id: string, value: number) => ({ pointId: `${id}/dim-level`, value, shown: value });
  const first = lamp(one, 0);
  return [
    { ...base, name: "K1, one lamp", ...level(first, 40), expected: "succeeded", moves: [first] },
    {
      ...base,
      name: `K1, a group of ${members.length}`,
      pointId: `${group?.id}/level`,
      value: 70,
      shown: 70,
      expected: "succeeded",
      moves: members,
    },
    { ...base, name: "unknown device", ...level("lamp-9999", 40), expected: "rejected (unknown-point)" },
    { ...base, name: "out of range", ...level(lamp(two, 1), 140), expected: "rejected (out-of-range)" },
    {
      ...base,
      name: "expired",
      ...level(lamp(two, 2), 10),
      ttlMs: 6_000,
      expected: "expired",
      freeze: Seconds(7),
    },
  ];
}

/** Gives the order, waits for its end and holds both against the journal. */
export async function runCase(
  city: City,
  each: CommandCase,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<CommandCheck> {
  const position = await city.journal.position();
  const start = clock.uptime();
  const { name, gatewayId, pointId, value, expected, ttlMs, freeze } = each;
  const program = city.gatewayProgram(gatewayId);
  if (freeze !== undefined) program.kill("SIGSTOP");
  try {
    const ttl = ttlMs === undefined ? {} : { ttlMs };
    const order = await city.client.command({ gatewayId, pointId, value, ...ttl });
    if (freeze !== undefined) await clock.sleep(freeze, signal);
    program.kill("SIGCONT");
    const ended = await waitForEnd(city, order, { clock, signal });
    const tookMs = Math.round(since(start, clock.uptime()));
    const effects = await city.journal.since(position);
    const end = describe(ended);
    return {
      name,
      gatewayId,
      pointId,
      value,
      expected,
      end,
      states: ended.history.map((step) => step.state),
      tookMs,
      effects: effects.map((effect) => `${effect.device} ${effect.what} ${effect.from} → ${effect.to}`),
      problems: [...problemsOfEnd(each, end, detailOf(ended)), ...problemsOfEffects(each, effects)],
    };
  } finally {
    program.kill("SIGCONT");
  }
}

export async function waitForEnd(
  city: City,
  order: CenterCommand,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<CenterCommand> {
  const start = clock.uptime();
  for (let current = order; ; current = await city.client.findCommand(order.id)) {
    if (city.client.isOver(current) || since(start, clock.uptime()) > END_WITHIN) return current;
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

function problemsOfEnd(each: CommandCase, end: string, detail: string): readonly string[] {
  return end === each.expected ? [] : [`ended as ${end}, expected ${each.expected}: ${detail}`];
}

/** At most once, and only what was asked: each device by one change, a level to within a percent. */
function problemsOfEffects(each: CommandCase, effects: readonly Effect[]): readonly string[] {
  const problems: string[] = [];
  const perDevice = Map.groupBy(
    effects.filter(({ what }) => what === each.what),
    (effect) => effect.device,
  );
  for (const device of each.moves) if (!perDevice.has(device)) problems.push(`${device} did not move`);
  for (const [device, moves] of perDevice) {
    if (!each.moves.includes(device)) problems.push(`${device} moved, and nobody asked it to`);
    if (moves.length !== 1) problems.push(`${device} moved ${moves.length} times`);
    const to = moves.at(-1)?.to ?? Number.NaN;
    if (!(Math.abs(to - each.shown) <= 1)) problems.push(`${device} went to ${to}, asked ${each.shown}`);
  }
  return problems;
}
