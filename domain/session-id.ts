/** One fenced connection of a gateway to the center: `sess` of PROTOCOL §1. */
export interface SyncSession {
  /** Bumped at every restore or promotion of the center; kept outside its restorable database. */
  readonly generation: number;
  readonly counter: number;
}

/** `<generation>.<counter>`, as it travels and is stored. */
export function formatSession(session: SyncSession): string {
  return `${session.generation}.${session.counter}`;
}

/** @throws {RangeError} unless `text` is two whole numbers joined by a dot. */
export function parseSession(text: string): SyncSession {
  const match = /^(\d{1,15})\.(\d{1,15})$/.exec(text);
  if (match === null)
    throw new RangeError(`sync session ${JSON.stringify(text)} is not <generation>.<counter>`);
  return { generation: Number(match[1]), counter: Number(match[2]) };
}

/** Negative when `left` is older than `right`. Also orders command sequences, which have the same form. */
export function compareSessions(left: SyncSession, right: SyncSession): number {
  return left.generation - right.generation || left.counter - right.counter;
}
