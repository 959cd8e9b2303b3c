/** One stage: the groups that are green together, and for how long. */
export interface Stage {
  /** From 1, ascending. */
  readonly groups: readonly number[];
  /** s, at least {@link MIN_GREEN_SEC}. */
  readonly greenSec: number;
}

/** A fixed-time plan; its cycle is the sum of greens, yellows and clearing times. */
export interface SignalPlan {
  readonly plan: number;
  readonly stages: readonly Stage[];
}

/** Town values: 6 s of green, 3 s of yellow (DOMAIN A.3), 2 s of all red between stages. */
export const MIN_GREEN_SEC = 6;
export const YELLOW_SEC = 3;
export const CLEARING_SEC = 2;
/** All red after a start, a flashing or a failure, before the first stage. */
export const START_RED_SEC = 5;
export const GROUPS = 8;

/** Groups 1 and 5 the main road, 3 and 7 the side road, 2, 4, 6, 8 on foot beside them. */
const STAGES = [
  [1, 2, 5, 6],
  [3, 4, 7, 8],
] as const;
const plan = (number: number, main: number, side: number): SignalPlan => ({
  plan: number,
  stages: [
    { groups: STAGES[0], greenSec: main },
    { groups: STAGES[1], greenSec: side },
  ],
});
/** Day, morning peak, evening peak, night. */
export const PLANS: readonly SignalPlan[] = [
  plan(1, 30, 20),
  plan(2, 50, 30),
  plan(3, 35, 45),
  plan(4, 20, 15),
];

type Phase = "start-red" | "green" | "yellow" | "clearing";

/**
 * The controller's own heart: one second a step. A plan begins at the end of the cycle, a held stage after what the
 * running one is owed: nobody outside can shorten a green below its least, a yellow or a clearing time.
 */
export class SignalProgram {
  #plan: SignalPlan = firstPlan();
  #next: SignalPlan | undefined;
  #stage = 0;
  #phase: Phase = "start-red";
  #inPhase = 0;
  #counter = 0;
  #held: number | undefined;
  /** Seconds of green that a group has had when its green ended, the least since the start. */
  shortestGreenSec = Number.POSITIVE_INFINITY;

  get plan(): number {
    return this.#plan.plan;
  }

  /** The plan that waits for the end of the cycle. */
  get nextPlan(): number | undefined {
    return this.#next?.plan;
  }

  /** From 1. */
  get stage(): number {
    return this.#stage + 1;
  }

  get cycleSec(): number {
    return cycleOf(this.#plan);
  }

  /** Second of the cycle, 0 … cycle - 1; stands while a stage is held. */
  get counter(): number {
    return this.#counter;
  }

  /** From the next cycle on. */
  choose(number: number): void {
    const chosen = PLANS.find((each) => each.plan === number);
    if (chosen !== undefined) this.#next = chosen.plan === this.#plan.plan ? undefined : chosen;
  }

  /** Goes to a stage (from 1) as soon as it may, and stays; `undefined` releases it. */
  hold(stage: number | undefined): void {
    this.#held = stage === undefined ? undefined : stage - 1;
  }

  /** After dark, flashing or failure: all red, then the first stage. */
  restart(): void {
    this.#phase = "start-red";
    this.#inPhase = 0;
    this.#stage = 0;
    this.#counter = 0;
    this.#beginNext();
  }

  /** One second. */
  step(): void {
    this.#inPhase += 1;
    if (this.#inPhase >= this.#phaseSec()) this.#advance();
    if (this.#held === undefined) this.#counter = (this.#counter + 1) % this.cycleSec;
  }

  /** One character a group: A red, 1 green, N yellow. */
  groups(): string {
    const green = this.#plan.stages[this.#stage]?.groups ?? [];
    return Array.from({ length: GROUPS }, (_, index) => {
      if (!green.includes(index + 1)) return "A";
      return this.#phase === "green" ? "1" : this.#phase === "yellow" ? "N" : "A";
    }).join("");
  }

  #phaseSec(): number {
    switch (this.#phase) {
      case "start-red":
        return START_RED_SEC;
      case "green":
        return this.#greenSec();
      case "yellow":
        return YELLOW_SEC;
      case "clearing":
        return CLEARING_SEC;
    }
  }

  #greenSec(): number {
    if (this.#held === this.#stage) return Number.POSITIVE_INFINITY;
    if (this.#held !== undefined) return MIN_GREEN_SEC;
    return this.#plan.stages[this.#stage]?.greenSec ?? MIN_GREEN_SEC;
  }

  #advance(): void {
    if (this.#phase === "green") this.shortestGreenSec = Math.min(this.shortestGreenSec, this.#inPhase);
    this.#inPhase = 0;
    switch (this.#phase) {
      case "start-red":
        this.#phase = "green";
        this.#counter = this.cycleSec - 1;
        return;
      case "green":
        this.#phase = "yellow";
        return;
      case "yellow":
        this.#phase = "clearing";
        return;
      case "clearing":
        this.#enter(this.#held ?? this.#stage + 1);
    }
  }

  #enter(stage: number): void {
    this.#phase = "green";
    this.#stage = stage % this.#plan.stages.length;
    if (this.#stage !== 0) return;
    this.#beginNext();
    this.#counter = this.cycleSec - 1;
  }

  #beginNext(): void {
    if (this.#next === undefined) return;
    this.#plan = this.#next;
    this.#next = undefined;
  }
}

function cycleOf({ stages }: SignalPlan): number {
  return stages.reduce((sum, { greenSec }) => sum + greenSec + YELLOW_SEC + CLEARING_SEC, 0);
}

function firstPlan(): SignalPlan {
  const [first] = PLANS;
  if (first === undefined) throw new Error("no plan");
  return first;
}
