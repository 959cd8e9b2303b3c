import type { SimulatorClock } from "../clock.ts";
import type { DeviceJournal } from "../device-journal.ts";
import type { EffectCause } from "../journal.ts";
import { type Flags, isBlocked, newFlags } from "./barrier-flags.ts";

export type Order = "open" | "close" | "stop";
type Motion = "rest" | "opening" | "closing";

/** Codes of input register 0 (docs/devices.md, neutral barrier and bollard). */
export const STATE = {
  unknown: 0,
  open: 1,
  opening: 2,
  closed: 3,
  closing: 4,
  stopped: 5,
  obstructed: 6,
  fault: 7,
  local: 8,
} as const;
export type StateName = keyof typeof STATE;

/** A motor that needs longer than this many times its travel is stuck. */
const STUCK_AFTER = 1.5;

export interface MovingBarrierOptions {
  /** From one limit to the other, ms. */
  readonly travelMs: number;
  readonly clock: SimulatorClock;
  readonly log: DeviceJournal;
}

/**
 * A barrier's arm, or a bollard (open is lowered, closed is raised): motor, limit switches and the safety chain of its
 * own controller. 0 is closed, 1 open. It journals whatever a person in the street would see, with its cause.
 */
export class MovingBarrier implements Disposable {
  readonly flags: Flags = newFlags();
  cycles = 0;
  /** Of the last movement that reached its limit, ms. */
  lastTravelMs = 0;
  readonly #options: MovingBarrierOptions;
  readonly #told = new Map<string, number>();
  #motion: Motion = "rest";
  #from = 0;
  #startMs = 0;
  #cancel: () => void = () => {};

  constructor(options: MovingBarrierOptions) {
    this.#options = options;
    this.#startMs = options.clock.monotonicMs();
    for (const [what, value] of this.#visible()) this.#told.set(what, value);
  }

  get motion(): Motion {
    return this.#motion;
  }

  /** 0 … 1. */
  position(): number {
    if (this.#motion === "rest" || this.flags.jammed) return this.#from;
    const share = (this.#options.clock.monotonicMs() - this.#startMs) / this.#options.travelMs;
    const moved = this.#motion === "opening" ? this.#from + share : this.#from - share;
    return Math.min(1, Math.max(0, moved));
  }

  /** What the two switches say, broken or not. */
  limits(): { readonly open: boolean; readonly closed: boolean } {
    const { openLimitStuck, closedLimitStuck } = this.flags;
    const at = this.position();
    const isOpen = at >= 1 && this.#motion !== "closing";
    const isClosed = at <= 0 && this.#motion !== "opening";
    return { open: openLimitStuck ?? isOpen, closed: closedLimitStuck ?? isClosed };
  }

  state(): StateName {
    const { localKey, motorFault, obstructionLatched } = this.flags;
    if (localKey) return "local";
    if (motorFault) return "fault";
    if (this.#motion !== "rest") return this.#motion;
    if (obstructionLatched) return "obstructed";
    const { open, closed } = this.limits();
    if (open !== closed) return open ? "open" : "closed";
    return this.flags.stopped && !open ? "stopped" : "unknown";
  }

  /** Why the controller will not obey an order from remote; `undefined`: it will. */
  refusal(order: Order): string | undefined {
    const { localKey, motorFault, mains, batteryLow, armMissing, fire, fireOpen } = this.flags;
    if (localKey) return "local-key";
    if (order === "stop") return undefined;
    if (motorFault) return "motor-fault";
    if (!mains && batteryLow) return "no-power";
    if (order === "open") return undefined;
    if (fire || fireOpen) return "fire";
    if (armMissing) return "arm-missing";
    return isBlocked(this.flags) ? "obstructed" : undefined;
  }

  /** Executes an order that it does not refuse. */
  obey(order: Order, cause: EffectCause): void {
    this.flags.obstructionLatched = false;
    if (order === "stop") this.#halt(cause, "stopped");
    else this.#drive(order === "open" ? "opening" : "closing", cause);
  }

  /** A hand, a vehicle or wear; what follows from it by the device's own rules follows at once. */
  set(change: Partial<Flags>, cause: EffectCause): void {
    Object.assign(this.flags, change);
    this.#tell(cause);
    this.#react(cause);
  }

  [Symbol.dispose](): void {
    this.#cancel();
  }

  #react(cause: EffectCause): void {
    const { flags } = this;
    const isPowered = flags.mains || !flags.batteryLow;
    if (this.#motion !== "rest" && (!isPowered || flags.motorFault)) this.#halt(cause, "unknown");
    // The key switch hands the motor to whoever stands there: it stops first.
    if (flags.localKey && this.#motion !== "rest") this.#halt(cause, "stopped");
    if ((flags.fire || flags.fireOpen) && isPowered)
      this.#drive("opening", { by: "device", rule: "fire-open" });
    if (this.#motion === "closing" && isBlocked(flags)) {
      const reversed: EffectCause = { by: "device", rule: "obstruction" };
      flags.obstructionLatched = true;
      this.#drive("opening", reversed);
    }
  }

  #drive(motion: "opening" | "closing", cause: EffectCause): void {
    const target = motion === "opening" ? 1 : 0;
    if (this.#motion === motion || (this.#motion === "rest" && this.position() === target)) {
      this.#tell(cause);
      return;
    }
    this.#settle();
    this.#motion = motion;
    this.flags.stopped = false;
    const { clock, travelMs } = this.#options;
    const left = Math.abs(target - this.#from) * travelMs;
    const startedAt = clock.monotonicMs();
    this.#tell(cause);
    const arrive = (): void => this.#arrive(target, clock.monotonicMs() - startedAt, cause);
    const stick = (): void => this.set({ motorFault: true }, { by: "device", rule: "travel-time" });
    this.#cancel = this.flags.jammed ? clock.after(STUCK_AFTER * travelMs, stick) : clock.after(left, arrive);
  }

  #arrive(target: 0 | 1, tookMs: number, cause: EffectCause): void {
    this.#motion = "rest";
    this.#from = target;
    this.cycles += target;
    this.lastTravelMs = tookMs;
    this.#tell(cause);
  }

  #halt(cause: EffectCause, how: "stopped" | "unknown"): void {
    const wasMoving = this.#motion !== "rest";
    this.#settle();
    this.#motion = "rest";
    if (wasMoving) this.flags.stopped = how === "stopped";
    this.#tell(cause);
  }

  /** Where it is now becomes where it is from. */
  #settle(): void {
    this.#cancel();
    this.#from = this.position();
    this.#startMs = this.#options.clock.monotonicMs();
  }

  #visible(): readonly (readonly [string, number])[] {
    const { open, closed } = this.limits();
    const { stopped: _, openLimitStuck: __, closedLimitStuck: ___, ...flags } = this.flags;
    return [
      ["motor", { rest: 0, opening: 1, closing: 2 }[this.#motion]],
      ["open-limit", Number(open)],
      ["closed-limit", Number(closed)],
      ...Object.entries(flags).map(([name, value]) => [kebab(name), Number(value)] as const),
    ];
  }

  /** Journals whatever looks otherwise than when it was last told. */
  #tell(cause: EffectCause): void {
    const changes = this.#visible().map(([what, to]) => ({ what, from: this.#told.get(what) ?? 0, to }));
    for (const { what, to } of changes) this.#told.set(what, to);
    this.#options.log.effect(cause, changes);
  }
}

const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
