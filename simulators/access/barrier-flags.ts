/** What there is about a barrier or bollard besides its movement. */
export interface Flags {
  safetyLoop: boolean;
  entryLoop: boolean;
  photocell: boolean;
  edge: boolean;
  armMissing: boolean;
  motorFault: boolean;
  localKey: boolean;
  mains: boolean;
  batteryLow: boolean;
  /** The fire brigade's input at the device. */
  fire: boolean;
  /** The maintained output from remote. */
  fireOpen: boolean;
  obstructionLatched: boolean;
  /** The motor turns and nothing moves. */
  jammed: boolean;
  /** It rests between its limits because somebody stopped it there. */
  stopped: boolean;
  /** What a broken limit switch says all the time. */
  openLimitStuck: boolean | undefined;
  closedLimitStuck: boolean | undefined;
}

/** Closed, at rest, with mains. */
export function newFlags(): Flags {
  return {
    safetyLoop: false,
    entryLoop: false,
    photocell: false,
    edge: false,
    armMissing: false,
    motorFault: false,
    localKey: false,
    mains: true,
    batteryLow: false,
    fire: false,
    fireOpen: false,
    obstructionLatched: false,
    jammed: false,
    stopped: false,
    openLimitStuck: undefined,
    closedLimitStuck: undefined,
  };
}

/** The device's own safety chain: somebody or something is in the way. */
export function isBlocked({ safetyLoop, photocell, edge }: Flags): boolean {
  return safetyLoop || photocell || edge;
}
