import type { MeteredLoad, PhaseLoad } from "./metered-load.ts";

const NOMINAL_V = 230;
const DAY_MS = 86_400_000;

/** What one phase shows at its terminals. */
export interface PhaseValues {
  readonly v: number;
  readonly a: number;
  readonly w: number;
  readonly va: number;
  readonly vars: number;
}

/** All three; a lost phase shows nothing but zeros. `flavour` sets the meters of a street apart. */
export function phasesNow(
  load: MeteredLoad,
  at: { readonly wallMs: number; readonly flavour: number },
): readonly PhaseValues[] {
  return load.phases().map((phase, index) => {
    if (load.isLost?.(index) === true) return { v: 0, a: 0, w: 0, va: 0, vars: 0 };
    return phaseValues(phase, voltage(at.wallMs, index + at.flavour));
  });
}

/** 1 for no load, as meters show it. */
export const powerFactor = (w: number, va: number): number => (va === 0 ? 1 : w / va);

/** Hz: the grid's slow breathing. */
export const frequency = (wallMs: number): number => 50 + 0.02 * Math.sin(wallMs / 47_000);

export function sumOf(phases: readonly PhaseValues[], pick: (phase: PhaseValues) => number): number {
  return phases.reduce((total, phase) => total + pick(phase), 0);
}

function phaseValues({ w, va }: PhaseLoad, v: number): PhaseValues {
  return { v, a: va / v, w, va, vars: Math.sqrt(Math.max(0, va * va - w * w)) };
}

/** V: the street's daily swing and a slow flutter, each phase by itself. */
function voltage(wallMs: number, phase: number): number {
  const day = Math.sin((2 * Math.PI * wallMs) / DAY_MS + phase);
  return NOMINAL_V + 2.5 * day + 0.6 * Math.sin(wallMs / 61_000 + 2 * phase);
}
