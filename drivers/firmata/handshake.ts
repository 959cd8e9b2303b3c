import type { Firmata } from "firmata-io";
import { type CancelTimer, type Clock, Millis } from "../../domain/time.ts";

/** A board that is up answers within 100 ms: its longest answer, the capabilities, takes some 60 ms at 57,600 baud. */
const PATIENCE = Millis(700);
/** Firmata protocol, END_SYSEX: nothing by itself, and the end of a message whose own end was lost. */
const END_SYSEX = 0xf7;

/** What a board tells of itself, in the order in which firmata-io asks for it, and how it is asked for. */
const STEPS: readonly { readonly told: string; readonly ask: (io: Firmata) => void }[] = [
  { told: "reportversion", ask: (io) => io.reportVersion(() => {}) },
  { told: "queryfirmware", ask: (io) => io.queryFirmware(() => {}) },
  { told: "capability-query", ask: (io) => io.queryCapabilities(() => {}) },
  { told: "analog-mapping-query", ask: (io) => io.queryAnalogMapping(() => {}) },
];

/**
 * Asks again for what a board still owes of its handshake, each {@link PATIENCE} without news. firmata-io asks once: a byte
 * that is lost on the line, or the answer to the client before, which it takes for the board's announcement, would cost the
 * whole time to start; and after the lost end of a message the board takes the next client's questions for its middle.
 */
export function keepAsking(
  io: Firmata,
  write: (bytes: readonly number[]) => void,
  clock: Clock,
): CancelTimer {
  let cancel: CancelTimer = () => {};
  let isOver = false;
  const told = new Set<string>();
  const wait = (): void => {
    cancel();
    if (!isOver) cancel = clock.schedule(PATIENCE, askAgain);
  };
  const askAgain = (): void => {
    const owed = STEPS.find((step) => !told.has(step.told));
    if (owed !== undefined) {
      write([END_SYSEX]);
      owed.ask(io);
    }
    wait();
  };
  const listeners = STEPS.map((step) => ({
    event: step.told,
    hear: () => {
      told.add(step.told);
      wait();
    },
  }));
  for (const { event, hear } of listeners) io.on(event, hear);
  wait();
  return () => {
    isOver = true;
    cancel();
    for (const { event, hear } of listeners) io.off(event, hear);
  };
}
