import type { SimulatorClock } from "../clock.ts";
import type { DeviceJournal } from "../device-journal.ts";
import type { EffectCause } from "../journal.ts";

export type Mode = "normal" | "flashing" | "dark";

/** What is wired into the controller, or done to it. */
export interface JunctionFlags {
  takeOver: boolean;
  flashingRequest: boolean;
  planSelect: number;
  policeKey: boolean;
  localPanel: boolean;
  doorOpen: boolean;
  mains: boolean;
  lampFault: boolean;
}

const MIN_GREEN_MS = 6_000;
/** The controller ends a held stage by itself: nobody waits longer at red (IISR art. 110). */
const MAX_STAGE_MS = 120_000;
const CYCLE_S = 60;
const CYCLE_S_PER_PLAN = 10;
/** Which program, 0 being its own: a longer cycle for each. */
const halfCycleMs = (plan: number): number => ((CYCLE_S + CYCLE_S_PER_PLAN * plan) * 1_000) / 2;

/**
 * A junction controller behind wires in the style of NF P99-110: two stages of four groups, its own minimum green and longest
 * red, and a plan that changes at the end of a cycle only. It is asked, never driven: no wire shortens a green.
 */
export class WireJunction implements Disposable {
  readonly flags: JunctionFlags = {
    takeOver: false,
    flashingRequest: false,
    planSelect: 0,
    policeKey: false,
    localPanel: false,
    doorOpen: false,
    mains: true,
    lampFault: false,
  };
  mode: Mode = "normal";
  /** 0: groups 1 to 4 are green, 1: groups 5 to 8. */
  stage: 0 | 1 = 0;
  plan = 0;
  /** A pulse asked for the end of this stage. */
  phaseEndTaken = false;
  readonly #clock: SimulatorClock;
  readonly #log: DeviceJournal;
  readonly #told = new Map<string, number>();
  #stageMs: number;
  #cancel: () => void = () => {};

  constructor(clock: SimulatorClock, log: DeviceJournal) {
    this.#clock = clock;
    this.#log = log;
    this.#stageMs = clock.monotonicMs();
    for (const [what, value] of this.#visible()) this.#told.set(what, value);
    this.#schedule();
  }

  get coordinated(): boolean {
    return this.mode === "normal" && this.flags.takeOver && !this.#isLocal();
  }

  /** s since this stage began. */
  stageSeconds(): number {
    return Math.floor((this.#clock.monotonicMs() - this.#stageMs) / 1_000);
  }

  isGreen(group: number): boolean {
    return this.mode === "normal" && (this.stage === 0 ? group <= 4 : group > 4);
  }

  set(change: Partial<JunctionFlags>, cause: EffectCause): void {
    Object.assign(this.flags, change);
    // The police key acts at once; what comes over a wire waits for its minimum green.
    if (this.#isLocal() || !this.flags.mains) this.#enter(this.#wantedMode());
    this.#tell(cause);
    this.#schedule();
  }

  /** A pulse on the phase-end wire; without take-over nobody listens to it. */
  endPhase(cause: EffectCause): void {
    if (!this.coordinated) return;
    this.phaseEndTaken = true;
    this.#tell(cause);
    this.#schedule();
  }

  [Symbol.dispose](): void {
    this.#cancel();
  }

  #isLocal(): boolean {
    return this.flags.policeKey || this.flags.localPanel;
  }

  #wantedMode(): Mode {
    if (!this.flags.mains) return "dark";
    return this.flags.policeKey || (this.flags.flashingRequest && !this.flags.localPanel)
      ? "flashing"
      : "normal";
  }

  #schedule(): void {
    this.#cancel();
    const dueMs = this.#stageMs + this.#stageLengthMs() - this.#clock.monotonicMs();
    this.#cancel = this.#clock.after(Math.max(0, dueMs), () => this.#stageOver());
  }

  #stageLengthMs(): number {
    if (this.#wantedMode() !== this.mode || this.phaseEndTaken) return MIN_GREEN_MS;
    return this.coordinated ? MAX_STAGE_MS : halfCycleMs(this.plan);
  }

  #stageOver(): void {
    const wanted = this.#wantedMode();
    this.phaseEndTaken = false;
    if (wanted !== this.mode) this.#enter(wanted);
    else this.#nextStage();
    this.#tell({ by: "device", rule: "program" });
    this.#schedule();
  }

  #nextStage(): void {
    this.stage = this.stage === 0 ? 1 : 0;
    if (this.stage === 0) this.plan = this.flags.planSelect;
    this.#stageMs = this.#clock.monotonicMs();
  }

  /** A junction that comes back begins with its first stage. */
  #enter(mode: Mode): void {
    if (mode === this.mode) return;
    this.mode = mode;
    this.stage = 0;
    this.phaseEndTaken = false;
    this.#stageMs = this.#clock.monotonicMs();
  }

  #visible(): readonly (readonly [string, number])[] {
    const { planSelect, ...rest } = this.flags;
    return [
      ["mode", { normal: 0, flashing: 1, dark: 2 }[this.mode]],
      ["stage", this.stage],
      ["plan", this.plan],
      ["plan-select", planSelect],
      ["phase-end-taken", Number(this.phaseEndTaken)],
      ["coordinated", Number(this.coordinated)],
      ...Object.entries(rest).map(([name, value]) => [kebab(name), Number(value)] as const),
    ];
  }

  #tell(cause: EffectCause): void {
    const changes = this.#visible().map(([what, to]) => ({ what, from: this.#told.get(what) ?? 0, to }));
    for (const { what, to } of changes) this.#told.set(what, to);
    this.#log.effect(cause, changes);
  }
}

const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
