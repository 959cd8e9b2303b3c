import type { DeviceClass } from "../profile.ts";
import type { PointValue } from "../reading.ts";
import { Millis, Seconds } from "../time.ts";

/**
 * What a profile must say before a point of its class may be commanded (DOMAIN E.2, E.5, E.7), as data. Checked when a
 * profile is loaded, so that nothing that breaks a rule is ever polled, let alone moved. The certified safety chain
 * stays in the device; these come on top.
 */
export interface ActuatorRule {
  /** Names of the written points it is about; of several rules the first that matches holds. */
  readonly names: RegExp;
  readonly commandClass: "K1" | "K2" | "K3";
  /** `pulse`: the output must fall back by itself, or it stays as it is when the gateway dies. */
  readonly output: "pulse" | "held";
  /** Least rest between two operations. */
  readonly minInterval?: Millis;
  /** Conditions that its interlock must have, of whatever is commanded. */
  readonly requires: readonly RequiredCondition[];
  /** For who meets it, with the rule's number. */
  readonly why: string;
}

export interface RequiredCondition {
  /** A point of the same device by its neutral name, and so on the actuator's own bus (PROTOCOL §8). */
  readonly point: string;
  readonly equals: PointValue;
  /** Older than this it is not known, and not known is not met. */
  readonly maxAge?: Millis;
}

/** A loop or light beam older than this says nothing about who is under the arm now (E.5, rule 26). */
const FRESH = Millis(500);
const LOCAL_KEY: RequiredCondition = { point: "local-key", equals: false };
const MOTOR: RequiredCondition = { point: "motor-fault", equals: false };
const NOBODY_THERE: readonly RequiredCondition[] = [
  { point: "safety-loop-occupied", equals: false, maxAge: FRESH },
  { point: "photocell-interrupted", equals: false, maxAge: FRESH },
];
const REVERSAL = Seconds(3);

/** What clears the way, what blocks it, and what stops or frees in need; of barriers and bollards alike. */
function movingRules(clear: RegExp, block: RegExp): readonly ActuatorRule[] {
  return [
    {
      names: /^fire-open$/,
      commandClass: "K3",
      output: "held",
      requires: [],
      why: "held open for the fire brigade whatever else is so (E.5, rule 27)",
    },
    {
      names: /^stop$/,
      commandClass: "K3",
      output: "pulse",
      requires: [],
      why: "a stop is always taken, and never waits (B.5)",
    },
    {
      names: block,
      commandClass: "K3",
      output: "pulse",
      minInterval: REVERSAL,
      requires: [...NOBODY_THERE, LOCAL_KEY, MOTOR],
      why: "never onto somebody: safety loop and photocell are free and fresh, nobody has the key, the motor is sound (E.5, rule 26; E.2, rules 13 and 15)",
    },
    {
      names: clear,
      commandClass: "K3",
      output: "pulse",
      minInterval: REVERSAL,
      requires: [LOCAL_KEY, MOTOR],
      why: "nobody has the key, the motor is sound, and 3 s between reversals (E.2, rules 13 and 15)",
    },
    {
      names: /./,
      commandClass: "K3",
      output: "pulse",
      requires: [],
      why: "whatever else moves here is hazardous, and falls back by itself (B.5)",
    },
  ];
}

const ACTUATOR_RULES: Partial<Record<DeviceClass, readonly ActuatorRule[]>> = {
  barrier: movingRules(/^open$/, /^close$/),
  bollard: movingRules(/^lower$/, /^raise$/),
  "access-point": [
    {
      names: /strike|release|unlock/,
      commandClass: "K3",
      output: "pulse",
      minInterval: Seconds(6),
      requires: [],
      why: "a door is let go by a timed output only, at most 10 times a minute (E.5, rule 28; E.2, rule 15)",
    },
  ],
  "segment-cabinet": [
    {
      names: /contactor/,
      commandClass: "K3",
      output: "held",
      minInterval: Seconds(60),
      requires: [],
      why: "a feeder's contactor rests 60 s between operations (E.2, rule 15)",
    },
  ],
  "traffic-cabinet": [
    {
      names: /mode|position|route|flash|dark|take-over/,
      commandClass: "K3",
      output: "held",
      requires: [],
      why: "a junction's mode is hazardous to command (PROTOCOL §8; E.1)",
    },
  ],
};

/** The rule for a written point; none where the class has none for that name. */
export function findActuatorRule(deviceClass: DeviceClass, point: string): ActuatorRule | undefined {
  return ACTUATOR_RULES[deviceClass]?.find(({ names }) => names.test(point));
}

/** Classes whose outputs somebody in the street feels. */
export const STREET_FACING: readonly DeviceClass[] = [
  "barrier",
  "bollard",
  "access-point",
  "traffic-cabinet",
  "segment-cabinet",
  "streetlight",
];

/** Drivers whose units keep their outputs as they are when the gateway dies, with the reason (E.7, rule 33). */
export const NEVER_STREET_FACING: Readonly<Record<string, string>> = {
  firmata:
    "a board keeps its pins as they were last set when the gateway dies, and drops them when it is opened again",
};
