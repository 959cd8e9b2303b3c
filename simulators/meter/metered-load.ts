/** What one phase takes now. */
export interface PhaseLoad {
  readonly w: number;
  readonly va: number;
}

/** What a meter measures: the load of three phases, and what it took since the start. */
export interface MeteredLoad {
  phases(): readonly [PhaseLoad, PhaseLoad, PhaseLoad];
  energyWh(): readonly [number, number, number];
  /** Phase 0, 1 or 2 has no voltage at the meter; absent: all have. */
  isLost?(phase: number): boolean;
}
