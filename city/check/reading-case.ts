import { after, type Clock, Millis, Seconds, since } from "../../domain/time.ts";
import type { City } from "../city.ts";
import type { Effect } from "../journal-client.ts";
import type { HandFields } from "../site-hand.ts";
import type { OrderValue } from "./command-case.ts";

/** What a hand does at a device, and what the center must then show. */
export interface ReadingCase {
  readonly name: string;
  readonly gatewayId: string;
  readonly pointId: string;
  /** Done to the device, and undone afterwards; null: it can not be, like people who went by. */
  readonly done: Hand;
  readonly undone: Hand | null;
  /** As the device's own journal tells it. */
  readonly effect: { readonly device: string; readonly what: string; readonly to: number };
  /** At the center, good; a number to within a hundredth of itself. */
  readonly shows: OrderValue;
}

export interface Hand {
  readonly device: string;
  readonly action: string;
  readonly fields?: HandFields;
}

export interface ReadingCheck {
  readonly name: string;
  readonly gatewayId: string;
  readonly pointId: string;
  readonly expected: OrderValue;
  readonly shown: OrderValue | null;
  readonly quality: string;
  /** From the hand to the screen, ms. */
  readonly tookMs: number;
  readonly problems: readonly string[];
}

interface ReadingContext {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const SHOWN_WITHIN = Seconds(30);
/** Longer than a fast value needs by itself; then an operator would ask the device, and again if it took so long. */
const ASK_EVERY = Seconds(5);
const LOOK_EVERY = Millis(250);

/** Does it, waits until an operator would see it, and holds it against the device's journal. */
export async function runReading(
  city: City,
  each: ReadingCase,
  { clock, signal }: ReadingContext,
): Promise<ReadingCheck> {
  const { name, gatewayId, pointId, done, undone, shows: expected } = each;
  const position = await city.journal.position();
  const start = clock.uptime();
  await treat(city, done);
  try {
    let seen = await look(city, each);
    let askAt = after(start, ASK_EVERY);
    while (!isShown(seen, expected) && since(start, clock.uptime()) < SHOWN_WITHIN) {
      if (clock.uptime() >= askAt) {
        await city.client.read(gatewayId, [pointId]);
        askAt = after(clock.uptime(), ASK_EVERY);
      } else await clock.sleep(LOOK_EVERY, signal);
      seen = await look(city, each);
    }
    const tookMs = Math.round(since(start, clock.uptime()));
    const effects = await city.journal.since(position);
    const problems = [
      ...(isShown(seen, expected)
        ? []
        : [`the center shows ${seen.value} (${seen.quality}), not ${expected}`]),
      ...witness(each, effects),
    ];
    return { name, gatewayId, pointId, expected, shown: seen.value, quality: seen.quality, tookMs, problems };
  } finally {
    if (undone !== null) await treat(city, undone);
  }
}

async function treat(city: City, { device, action, fields }: Hand): Promise<void> {
  await city.hand.treatDevice(device, action, fields);
}

async function look(city: City, { gatewayId, pointId }: ReadingCase) {
  const states = await city.client.states(gatewayId, pointId.slice(0, pointId.lastIndexOf("/")));
  return states.find((state) => state.pointId === pointId) ?? { value: null, quality: "never told" };
}

function isShown(
  { value, quality }: { readonly value: OrderValue | null; readonly quality: string },
  expected: OrderValue,
): boolean {
  if (!quality.startsWith("good")) return false;
  if (typeof value !== "number" || typeof expected !== "number") return value === expected;
  return Math.abs(value - expected) <= Math.abs(expected) / 100;
}

function witness({ effect }: ReadingCase, effects: readonly Effect[]): readonly string[] {
  const { device, what, to } = effect;
  const found = effects.some((each) => each.device === device && each.what === what && each.to === to);
  return found ? [] : [`the devices' journal has no ${device} ${what} to ${to}`];
}
