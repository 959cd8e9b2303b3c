import { type Clock, type Instant, Millis, Seconds } from "../../domain/time.ts";
import type { PlacedCabinet, PlacedFeeder } from "../../simulators/city/placement.ts";
import type { City } from "../city.ts";
import { DIJON } from "../city-plan.ts";
import type { CommandCase } from "./command-case.ts";
import { dijonCabinets, lampOf, levelOf } from "./command-cases.ts";

/** Of a contactor between two operations (DOMAIN E.2, rule 15), and what a clock may be off. */
const REST = Seconds(61);
/** A refusal for want of a link waits for nothing. */
const AT_ONCE = Seconds(1);
/** A connection that is broken, until both ends have read that it is. */
const BREAK_NOTICED = Millis(200);
/** Level of a lamp that has just got its voltage back. */
const POWER_ON_LEVEL = 100;

/** Contactors of one cabinet in Dijon, each on a feeder of its own. To be run in this order, with all its lamps lit. */
export interface FeederCases {
  readonly opening: readonly CommandCase[];
  /** After their rest: puts back what `opening` did. */
  readonly closing: readonly CommandCase[];
}

export function feederCases(city: City): FeederCases {
  const [cabinet] = dijonCabinets(city);
  const [first, second, third] = cabinet.feeders;
  if (first === undefined || second === undefined || third === undefined)
    throw new RangeError(`${cabinet.id} has fewer than three feeders`);
  return {
    opening: [
      blockedCase(city, cabinet, third),
      {
        ...feederCase(DIJON, cabinet, first),
        name: "K3, a feeder opened",
        expected: "succeeded",
        moves: switched(cabinet, first, 0),
      },
      changedCase(city, cabinet, second),
    ],
    closing: [first, second].map((feeder) => closingCase(cabinet, feeder)),
  };
}

/** Somebody works in the cabinet: its switch is on local, all feeders on. */
function blockedCase(city: City, cabinet: PlacedCabinet, feeder: PlacedFeeder): CommandCase {
  const selector = `${cabinet.id}/selector-local`;
  return {
    ...feederCase(DIJON, cabinet, feeder),
    name: "K3, local selector",
    expected: "rejected (blocked)",
    stands: { [selector]: true },
    before: () => treat(city, cabinet, ["local-on", "select-local"]),
    afterwards: () => treat(city, cabinet, ["select-auto", "local-off"]),
  };
}

/** The breaker trips after the person has looked: what was confirmed no longer stands. */
function changedCase(city: City, cabinet: PlacedCabinet, feeder: PlacedFeeder): CommandCase {
  return {
    ...feederCase(DIJON, cabinet, feeder),
    name: "K3, changed since the preview",
    expected: "rejected (preview-changed)",
    between: () => city.hand.treat(cabinet.id, "trip-breaker", feeder.feeder),
    afterwards: () => city.hand.treat(cabinet.id, "reset-breaker", feeder.feeder),
  };
}

function closingCase(cabinet: PlacedCabinet, feeder: PlacedFeeder): CommandCase {
  const name = `${cabinet.id}/feeder-${feeder.feeder}`;
  const base = feederCase(DIJON, cabinet, feeder);
  return {
    ...base,
    name: "K3, closed again after its rest",
    value: true,
    expected: "succeeded",
    stands: { ...base.stands, [`${name}-contactor-feedback`]: false, [`${name}-breaker-tripped`]: false },
    moves: switched(cabinet, feeder, 1),
  };
}

/** The person has looked, then the link is cut; it stays so. The center still vouches for all that it shows. */
export function offlineCase(
  city: City,
  gatewayId: string,
  context: { readonly cut: () => void; readonly clock: Clock; readonly signal: AbortSignal },
): CommandCase {
  const cabinet = city.plan.municipalities.find((each) => each.gatewayId === gatewayId)?.cabinets[0];
  const feeder = cabinet?.feeders[0];
  if (cabinet === undefined || feeder === undefined) throw new RangeError(`${gatewayId} has no cabinet`);
  return {
    ...feederCase(gatewayId, cabinet, feeder),
    name: "K3, link cut",
    expected: "rejected (offline)",
    within: AT_ONCE,
    between: async () => {
      context.cut();
      await context.clock.sleep(BREAK_NOTICED, context.signal);
    },
  };
}

/** Opens it; with nothing moved unless the case says so. */
function feederCase(gatewayId: string, cabinet: PlacedCabinet, { feeder }: PlacedFeeder) {
  return {
    gatewayId,
    pointId: `${cabinet.id}/feeder-${feeder}-contactor-demand`,
    value: false,
    moves: [],
    stands: { [`${cabinet.id}/selector-local`]: false },
  };
}

/** Coil, contact and each lamp of the feeder, once. */
function switched(cabinet: PlacedCabinet, { feeder, shortAddresses }: PlacedFeeder, to: 0 | 1) {
  return [
    { device: cabinet.id, what: `demand-${feeder}`, to },
    { device: cabinet.id, what: `contactor-${feeder}`, to },
    ...shortAddresses.map((address) => levelOf(lampOf(cabinet, address), to * POWER_ON_LEVEL)),
  ];
}

async function treat(city: City, { id }: PlacedCabinet, actions: readonly string[]): Promise<void> {
  for (const action of actions) await city.hand.treat(id, action);
}

/** Waits until every contactor of these cases may move again; also after a check that ended just before this one. */
export async function restOver(
  city: City,
  cases: readonly CommandCase[],
  context: { readonly clock: Clock; readonly signal: AbortSignal; readonly since: Instant | null },
): Promise<void> {
  const { clock, signal, since } = context;
  const points = new Set(cases.map(({ pointId }) => pointId));
  const ends = (await city.client.commands(DIJON))
    .filter(({ pointId, state }) => points.has(pointId) && MOVED.has(state.name))
    .map(({ history }) => history.at(-1)?.at ?? 0);
  const last = Math.max(since ?? 0, ...ends);
  const left = last + REST - clock.now();
  if (left > 0) await clock.sleep(Millis(Math.min(left, REST)), signal);
}

const MOVED = new Set(["succeeded", "outcome-unknown"]);
