/** What one phase takes now. */
export interface PhaseLoad {
  readonly w: number;
  readonly va: number;
}

/** What a meter measures: the load of three phases, and what it took since the start. */
export interface MeteredLoad {
  phases(): readonly [PhaseLoad, PhaseLoad, PhaseLoad];
  energyWh(): readonly [number, number, number];
}
