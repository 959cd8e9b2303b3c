import type { Fields } from "../input-fields.ts";
import { ALARMS, POSITIONS, type TrafficCabinetState } from "./cabinet-state.ts";

/** What a hand at the cabinet, the weather or wear does to it. */
export interface Hand {
  readonly name: string;
  readonly about: string;
  readonly takes?: Readonly<Record<string, string>>;
  /** Reads what it takes; what is returned does it. @throws {InvalidField} */
  prepare(fields: Fields, state: TrafficCabinetState): () => void;
}

const simple = (name: string, about: string, act: (state: TrafficCabinetState) => void): Hand => ({
  name,
  about,
  prepare: (_, state) => () => act(state),
});

/** By name. A failure is reset here and nowhere else: on site. */
const LIST: readonly Hand[] = [
  {
    name: "police-key",
    about: "turns the key: it beats everything remote",
    takes: { position: "0 off, 1 dark, 2 yellow flash, 3 all red" },
    prepare: (fields, state) => {
      const position = fields.wholeNumber("position", { min: 0, max: 3 });
      return () => {
        state.policeKey = position;
        if (position === 0) state.program.restart();
      };
    },
  },
  {
    name: "local-panel",
    about: "takes the signals over at the operator panel",
    takes: { position: `${POSITIONS.join(", ")}, or off` },
    prepare: (fields, state) => {
      const position = fields.oneOf("position", [...POSITIONS, "off"] as const);
      return () => {
        state.panel = position === "off" ? undefined : position;
        if (state.panel === undefined) state.program.restart();
      };
    },
  },
  simple("open-door", "opens the door", (state) => {
    state.doorOpen = true;
  }),
  simple("close-door", "closes it", (state) => {
    state.doorOpen = false;
  }),
  simple("fail", "a major fault, A0006: flashing until it is reset on site", (state) => {
    state.alarms.add("A0006");
    state.controlMode = "failure";
  }),
  simple("reset-failure", "the crew has mended it: starts as after power came back", (state) => {
    state.alarms.delete("A0006");
    state.controlMode = "startup";
    state.ordered = undefined;
    state.routes = [];
    state.program.hold(undefined);
  }),
  simple("begin-test", "puts the controller into test mode", (state) => {
    state.controlMode = "test";
  }),
  simple("end-test", "and back to control", (state) => {
    state.controlMode = "control";
  }),
  ...(["set", "clear"] as const).map(
    (way): Hand => ({
      name: `${way}-alarm`,
      about: way === "set" ? "an alarm comes: A0201 is a lamp, A0301 detector 1" : "an alarm goes",
      takes: { alarm: ALARMS.join(", ") },
      prepare: (fields, state) => {
        const alarm = fields.oneOf("alarm", ALARMS);
        return () => {
          if (way === "set") state.alarms.add(alarm);
          else state.alarms.delete(alarm);
        };
      },
    }),
  ),
  simple("cut-mains", "the mains go: the battery carries on", (state) => {
    state.mainsPresent = false;
  }),
  simple("return-mains", "the mains come back", (state) => {
    state.mainsPresent = true;
  }),
  {
    name: "pass-detector",
    about: "a vehicle passes a detector",
    takes: { detector: "1..8" },
    prepare: (fields, state) => {
      const detector = fields.wholeNumber("detector", { min: 1, max: 8 });
      return () => {
        state.counts[detector - 1] = (state.counts[detector - 1] ?? 0) + 1;
      };
    },
  },
  {
    name: "temperature-sensor",
    about: "wear of the temperature sensor: its status tells",
    takes: { condition: "well, frozen or broken" },
    prepare: (fields, state) => {
      const condition = fields.oneOf("condition", ["well", "frozen", "broken"]);
      return () => {
        state.temperatureSensor = condition;
      };
    },
  },
];

export const HANDS: Readonly<Record<string, Hand>> = Object.fromEntries(
  LIST.map((hand) => [hand.name, hand]),
);
