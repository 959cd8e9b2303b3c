import { type Clock, Millis } from "../../domain/time.ts";
import { deviceIdOf, doorsOf, WEATHER_UNITS } from "../../simulators/city/equipment-config.ts";
import {
  EQUIPMENT_KINDS,
  type EquipmentKind,
  type PlacedEquipment,
} from "../../simulators/city/place-equipment.ts";
import type { City } from "../city.ts";
import type { CommandCase, Move, OrderValue } from "./command-case.ts";
import type { Hand, ReadingCase } from "./reading-case.ts";

/** One reading and, where there is anything to order, one order and what puts it back, of each kind of equipment. */
export interface EquipmentCases {
  readonly readings: readonly ReadingCase[];
  readonly commands: readonly CommandCase[];
}

type Reading = Omit<ReadingCase, "name" | "gatewayId">;
type Order = Pick<CommandCase, "pointId" | "value" | "moves" | "stands"> & {
  /** After the order before it. */
  readonly rest?: Millis;
};
interface KindCases {
  readonly readings: readonly Reading[];
  readonly orders: readonly Order[];
}

/** Of the first of each kind in the city. */
export function equipmentCases(
  city: City,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): EquipmentCases {
  const { municipalities } = city.plan;
  const cases = EQUIPMENT_KINDS.flatMap((kind) => {
    const place = municipalities.find(({ equipment }) => equipment.some((each) => each.kind === kind));
    const found = place?.equipment.find((each) => each.kind === kind);
    if (place === undefined || found === undefined) return [];
    const { readings, orders } = CASES[kind](found);
    const own = { gatewayId: place.gatewayId };
    return {
      readings: readings.map((reading) => ({ ...reading, ...own, name: `reading, ${kind}` })),
      commands: orders.map(({ rest = Millis(0), ...order }) => ({
        ...order,
        ...own,
        name: `order, ${kind}`,
        expected: "succeeded",
        before: () => clock.sleep(rest, signal),
      })),
    };
  });
  return {
    readings: cases.flatMap(({ readings }) => readings),
    commands: cases.flatMap(({ commands }) => commands),
  };
}

const CASES: Readonly<Record<EquipmentKind, (equipment: PlacedEquipment) => KindCases>> = {
  junction: (equipment) => {
    const { id } = equipment;
    const at = (action: string): Hand => ({ device: deviceIdOf(equipment), action, fields: { cabinet: id } });
    const position = (
      [stands, by]: readonly [string, string],
      value: string,
      [to, source]: readonly [number, number],
    ): Order => ({
      pointId: `${id}/functional-position`,
      value,
      stands: { [`${id}/functional-position`]: stands, [`${id}/functional-position-source`]: by },
      moves: [move(id, "functional-position", to), move(id, "position-source", source)],
    });
    return {
      readings: [
        {
          pointId: `${id}/door-open`,
          done: at("open-door"),
          undone: at("close-door"),
          effect: move(id, "door", 1),
          shows: true,
        },
      ],
      orders: [
        position(["normal", "calendar-clock"], "yellow-flash", [1, FORCED]),
        position(["yellow-flash", "forced"], "normal", [0, BY_CALENDAR]),
      ],
    };
  },
  "wire-junction": ({ id }) => ({
    readings: [switched(id, ["turn-police-key", "return-police-key"], "police-key")],
    orders: [1, 0].map((plan) => ({
      pointId: `${id}/plan-select`,
      value: plan,
      stands: { [`${id}/plan-select`]: 1 - plan, [`${id}/police-key`]: false },
      moves: [move(id, "plan-select", plan)],
    })),
  }),
  barrier: ({ id }) => ({
    readings: [switched(id, ["occupy-entry-loop", "free-entry-loop"], "entry-loop", "entry-loop-occupied")],
    orders: travels(id, "open", "close"),
  }),
  bollard: ({ id }) => ({
    readings: [switched(id, ["occupy-entry-loop", "free-entry-loop"], "entry-loop", "entry-loop-occupied")],
    orders: travels(id, "lower", "raise"),
  }),
  entrance: ({ id }) => {
    const door = doorsOf(id)[0]?.id ?? "";
    const at = (action: string, fields = {}): Hand => ({ device: id, action, fields: { door, ...fields } });
    return {
      readings: [
        {
          pointId: `${door}/door-open`,
          done: at("push-door", { force: 1 }),
          undone: at("close-door"),
          effect: move(door, "door-contact", 1),
          shows: true,
        },
      ],
      orders: [
        {
          pointId: `${door}/strike`,
          value: true,
          stands: { [`${door}/door-open`]: false },
          moves: [move(door, "strike", 1)],
        },
      ],
    };
  },
  building: ({ id }) => ({
    readings: [
      {
        pointId: `${id}/loop-1`,
        done: { device: id, action: "set-loop", fields: { loop: 1, state: "alarm" } },
        undone: { device: id, action: "set-loop", fields: { loop: 1, state: "normal" } },
        effect: move(id, "loop-1", 1),
        shows: "alarm",
      },
    ],
    orders: [],
  }),
  counter: ({ id }) => ({ readings: [switched(id, ["cover", "uncover"], "covered")], orders: [] }),
  "text-counter": ({ id }) => ({
    readings: [
      {
        ...switched(id, ["cover", "cover"], "covered"),
        done: { device: id, action: "cover", fields: { covered: 1 } },
        undone: { device: id, action: "cover", fields: { covered: 0 } },
      },
    ],
    orders: [60, 70].map((percent) => ({
      pointId: `${id}/sensitivity`,
      value: percent,
      moves: [move(id, "sensitivity", percent)],
    })),
  }),
  "weather-station": ({ id }) => {
    const { weather, iem3155, b23 } = WEATHER_UNITS;
    const meter = (unit: number, device: string, watts: number, shows: number): Reading => ({
      pointId: `${device}/power`,
      done: { device: id, action: `set-load-of-${unit}`, fields: { loadW: [watts, watts, watts] } },
      undone: { device: id, action: `set-load-of-${unit}`, fields: { loadW: [1_000, 2_000, 3_000] } },
      effect: move(`${id}-${unit}`, "load-l1", watts),
      shows,
    });
    return {
      readings: [
        {
          pointId: `${id}/temperature`,
          done: { device: id, action: `set-weather-of-${weather}`, fields: { temperatureC: -12.5 } },
          undone: null,
          effect: move(`${id}-${weather}`, "temperatureC", -12.5),
          shows: -12.5,
        },
        meter(iem3155, `${id}-iem3155`, 500, 1_500),
        meter(b23, `${id}-b23`, 700, 2_100),
      ],
      orders: [],
    };
  },
  "io-board": ({ id }) => ({
    readings: [
      {
        pointId: `${id}/contact-1`,
        done: { device: id, action: "set-contact", fields: { pin: 2, level: 1 } },
        undone: { device: id, action: "set-contact", fields: { pin: 2, level: 0 } },
        effect: move(id, "contact-2", 1),
        // Closed it pulls its pin to ground.
        shows: false,
      },
    ],
    orders: [true, false].map((value) => ({
      pointId: `${id}/indicator-2`,
      value,
      moves: [move(id, "pin-8", Number(value))],
    })),
  }),
};

/** Between two operations of a barrier: DOMAIN E.2, rule 15 asks for 3 s. */
const REVERSAL_REST = Millis(3_500);
/** RSMP S0007: who has the signals. */
const FORCED = 3;
const BY_CALENDAR = 1;

function move(device: string, what: string, to: number): Move {
  return { device, what, to };
}

/** What a hand turns on, and off again. */
function switched(id: string, [on, off]: readonly [string, string], what: string, point = what): Reading {
  return {
    pointId: `${id}/${point}`,
    done: { device: id, action: on },
    undone: { device: id, action: off },
    effect: move(id, what, 1),
    shows: true,
  };
}

/** From closed to open, and back: the pulse, the motor while it runs, and both limits. */
function travels(id: string, opens: string, closes: string): readonly Order[] {
  const stands: Readonly<Record<string, OrderValue>> = { [`${id}/entry-loop-occupied`]: false };
  const travel = (order: string, pulse: "open" | "close"): Order => {
    const opensIt = Number(pulse === "open");
    return {
      pointId: `${id}/${order}`,
      value: true,
      stands,
      moves: [
        move(id, `pulse-${pulse}`, 1),
        { ...move(id, "motor", 0), via: [opensIt === 1 ? 1 : 2] },
        move(id, "open-limit", opensIt),
        move(id, "closed-limit", 1 - opensIt),
      ],
    };
  };
  return [travel(opens, "open"), { ...travel(closes, "close"), rest: REVERSAL_REST }];
}
