import { REASON } from "./cabinet-map.ts";
import type { CabinetState } from "./cabinet-state.ts";
import {
  batteryVolts,
  type CabinetMeasures,
  type CabinetNow,
  insideTemperature,
  leakageMa,
  modeInForce,
} from "./cabinet-tables.ts";
import type { ContactorCondition, Contactors } from "./contactors.ts";

/**
 * Those on one feeder name it. A trip opens what it feeds and clears the demand, which has to be given anew after the
 * reset; `weld-contactor` and `jam-contactor` let the feedback contradict; `shock` is seen for 10 s.
 */
export const CABINET_ACTIONS = [
  ...(["open-door", "close-door", "select-local", "select-auto", "local-on", "local-off"] as const),
  ...(["trip-rcd", "reset-rcd", "trip-main", "reset-main", "spend-arrester", "replace-arrester"] as const),
  ...(["water", "dry", "shock", "leak", "mend-leak"] as const),
  ...(["photocell-dark", "photocell-light", "photocell-sky"] as const),
  ...(["trip-breaker", "reset-breaker", "weld-contactor", "jam-contactor", "restore-contactor"] as const),
] as const;
export type CabinetAction = (typeof CABINET_ACTIONS)[number];

/** Actions that happen to one feeder. */
export const FEEDER_ACTIONS: readonly CabinetAction[] = [
  "trip-breaker",
  "reset-breaker",
  "weld-contactor",
  "jam-contactor",
  "restore-contactor",
];

export interface Treatment {
  readonly action: CabinetAction;
  /** 0..7; what concerns the whole cabinet ignores it. */
  readonly way: number;
  readonly nowMs: number;
}

export interface Treated {
  readonly changes: readonly PlainChange[];
  /** Ways whose contact now has another demand to follow, and why. */
  readonly driven: readonly number[];
  readonly reason: number;
}

type PlainChange = { readonly what: string; readonly from: number; readonly to: number };

const SHOCK_MS = 10_000;
const LEAK_MA = 180;

type Flag =
  | "doorOpen"
  | "selectorLocal"
  | "localOn"
  | "rcdTripped"
  | "mainBreakerTripped"
  | "surgeArresterSpent"
  | "water";

/** What each plain action makes of which flag, and the flag's name in the journal. */
const FLAGS: Partial<
  Record<CabinetAction, { readonly flag: Flag; readonly what: string; readonly to: boolean }>
> = {
  "open-door": { flag: "doorOpen", what: "door-open", to: true },
  "close-door": { flag: "doorOpen", what: "door-open", to: false },
  "select-local": { flag: "selectorLocal", what: "selector-local", to: true },
  "select-auto": { flag: "selectorLocal", what: "selector-local", to: false },
  "local-on": { flag: "localOn", what: "local-on", to: true },
  "local-off": { flag: "localOn", what: "local-on", to: false },
  "trip-rcd": { flag: "rcdTripped", what: "rcd-tripped", to: true },
  "reset-rcd": { flag: "rcdTripped", what: "rcd-tripped", to: false },
  "trip-main": { flag: "mainBreakerTripped", what: "main-breaker-tripped", to: true },
  "reset-main": { flag: "mainBreakerTripped", what: "main-breaker-tripped", to: false },
  "spend-arrester": { flag: "surgeArresterSpent", what: "surge-arrester-spent", to: true },
  "replace-arrester": { flag: "surgeArresterSpent", what: "surge-arrester-spent", to: false },
  water: { flag: "water", what: "water", to: true },
  dry: { flag: "water", what: "water", to: false },
};

const PHOTOCELL = { "photocell-dark": "dark", "photocell-light": "light", "photocell-sky": "sky" } as const;
const CONDITIONS: Partial<Record<CabinetAction, ContactorCondition>> = {
  "weld-contactor": "welded",
  "jam-contactor": "jammed",
  "restore-contactor": "sound",
};

/** Does it; the caller journals and lets contacts and voltages follow. */
export function treatCabinet(state: CabinetState, contactors: Contactors, treatment: Treatment): Treated {
  const { action } = treatment;
  const flag = FLAGS[action];
  if (flag === undefined) return treatRest(state, contactors, treatment);
  const before = state[flag.flag];
  state[flag.flag] = flag.to;
  const changes = before === flag.to ? [] : [{ what: flag.what, from: Number(before), to: Number(flag.to) }];
  if (action === "trip-rcd" || action === "trip-main") {
    return withDemands(changes, contactors, {
      ways: contactors.ways.keys(),
      demand: false,
      reason: REASON.trip,
    });
  }
  const follows =
    action === "select-local" || ((action === "local-on" || action === "local-off") && state.selectorLocal);
  if (!follows) return { changes, driven: [], reason: REASON.none };
  // Under the local switch nothing waits; what has tripped stays open all the same.
  const ways = [...contactors.ways.keys()].filter(
    (way) => !state.localOn || maySupply(state, contactors, way),
  );
  return withDemands(changes, contactors, { ways, demand: state.localOn, reason: REASON.local });
}

function maySupply(state: CabinetState, contactors: Contactors, way: number): boolean {
  return !state.rcdTripped && !state.mainBreakerTripped && contactors.ways[way]?.breakerTripped === false;
}

function treatRest(state: CabinetState, contactors: Contactors, treatment: Treatment): Treated {
  const { action, way, nowMs } = treatment;
  const one = (what: string, from: number, to: number): Treated => ({
    changes: from === to ? [] : [{ what, from, to }],
    driven: [],
    reason: REASON.none,
  });
  if (action === "shock") {
    state.shockUntilMs = nowMs + SHOCK_MS;
    return one("shock", 0, 1);
  }
  if (action === "leak" || action === "mend-leak") {
    const from = state.faultLeakageMa;
    state.faultLeakageMa = action === "leak" ? LEAK_MA : 0;
    return one("fault-leakage", from, state.faultLeakageMa);
  }
  if (action === "photocell-dark" || action === "photocell-light" || action === "photocell-sky") {
    const codes = { sky: 0, dark: 1, light: 2 };
    const from = codes[state.photocell];
    state.photocell = PHOTOCELL[action];
    return one("photocell", from, codes[state.photocell]);
  }
  return treatFeeder(contactors, { action, way, nowMs });
}

function treatFeeder(contactors: Contactors, { action, way }: Treatment): Treated {
  const treated = contactors.ways[way];
  const nothing = { changes: [], driven: [], reason: REASON.none };
  if (treated === undefined) return nothing;
  const condition = CONDITIONS[action];
  if (condition !== undefined) {
    const codes = { sound: 0, welded: 1, jammed: 2 };
    const from = codes[treated.condition];
    treated.condition = condition;
    const changes = [{ what: `contactor-${way + 1}-condition`, from, to: codes[condition] }];
    // A contact that was held lets go, and follows what the controller asked meanwhile.
    return { changes, driven: condition === "sound" ? [way] : [], reason: REASON.remote };
  }
  const trips = action === "trip-breaker";
  if (treated.breakerTripped === trips) return nothing;
  treated.breakerTripped = trips;
  const changes = [{ what: `feeder-${way + 1}-breaker-tripped`, from: Number(!trips), to: Number(trips) }];
  const ways = trips ? [way] : [];
  return withDemands(changes, contactors, { ways, demand: false, reason: REASON.trip });
}

function withDemands(
  changes: readonly PlainChange[],
  contactors: Contactors,
  order: { readonly ways: Iterable<number>; readonly demand: boolean; readonly reason: number },
): Treated {
  const driven: number[] = [];
  for (const index of order.ways) {
    const way = contactors.ways[index];
    if (way === undefined || way.demand === order.demand) continue;
    way.demand = order.demand;
    driven.push(index);
  }
  const demands = driven.map((index) => ({
    what: `demand-${index + 1}`,
    from: Number(!order.demand),
    to: Number(order.demand),
  }));
  return { changes: [...changes, ...demands], driven, reason: order.reason };
}

/** The whole truth about a cabinet, for tests. */
export interface CabinetView {
  readonly id: string;
  readonly doorOpen: boolean;
  readonly selectorLocal: boolean;
  readonly localOn: boolean;
  readonly rcdTripped: boolean;
  readonly mainBreakerTripped: boolean;
  readonly surgeArresterSpent: boolean;
  readonly water: boolean;
  readonly shock: boolean;
  readonly dark: boolean;
  readonly cabinetLight: boolean;
  /** Holding registers 0..6. */
  readonly settings: readonly number[];
  /** Input register 0. */
  readonly mode: number;
  readonly temperatureC: number;
  readonly batteryV: number;
  readonly leakageMa: number;
  readonly feeders: readonly FeederView[];
  /** Effects in the journal so far. */
  readonly effects: number;
}

export interface FeederView {
  /** 1..8. */
  readonly feeder: number;
  readonly demand: boolean;
  readonly closed: boolean;
  readonly condition: ContactorCondition;
  readonly breakerTripped: boolean;
  readonly live: boolean;
  readonly starts: number;
  readonly currentMa: number;
}

export function viewCabinet(now: CabinetNow, measures: CabinetMeasures): Omit<CabinetView, "id" | "effects"> {
  const { state, contactors, dark, nowMs } = now;
  const { shockUntilMs, photocell: _, faultLeakageMa: __, settings, ...flags } = state;
  return {
    ...flags,
    shock: nowMs < shockUntilMs,
    dark,
    settings: [...settings],
    mode: modeInForce(now, measures.link),
    temperatureC: insideTemperature(now, measures),
    batteryV: batteryVolts(now),
    leakageMa: leakageMa(now),
    feeders: contactors.ways.map(({ movedAtMs: _, ...way }, index) => ({
      feeder: index + 1,
      ...way,
      currentMa: way.live ? measures.loads.currentMa(index) : 0,
    })),
  };
}
