import { pino } from "pino";
import type { Lane } from "../../domain/lane.ts";
import type { Clock } from "../../domain/time.ts";
import { openStoreReadOnly } from "../store/opening/look-only.ts";
import { type LedgerEntry, StoreError } from "../store/store.ts";
import { formatBytes } from "./format-value.ts";

/** What the files of a gateway that does not run still tell. */
export interface StoreLook {
  readonly running: false;
  readonly dataFolder: string;
  readonly points: number;
  readonly usedBytes: number;
  readonly backlog: Readonly<Record<Lane, number>>;
  /** Began before the gateway went down: the next start settles them as `outcome-unknown`. */
  readonly undecided: readonly string[];
  /** ISO 8601; `null`: no command was ever asked for. */
  readonly lastCommandAt: string | null;
}

/** Looked through for commands without an end. */
const COMMANDS_LOOKED_AT = 200;

/** Reads the store and changes nothing; `undefined` where there is none that can be read. */
export function lookIntoStore(dataFolder: string, clock: Clock): StoreLook | undefined {
  try {
    using store = openStoreReadOnly(dataFolder, { clock, logger: pino({ level: "silent" }) });
    const commands = store.commands.recent(COMMANDS_LOOKED_AT);
    const [last] = commands;
    return {
      running: false,
      dataFolder,
      points: store.telemetry.numberedPoints().size,
      usedBytes: store.sync.disk().usedBytes,
      backlog: store.sync.backlog(),
      undecided: commands.filter(isUndecided).map(({ command }) => command.id),
      lastCommandAt: last === undefined ? null : new Date(last.at).toISOString(),
    };
  } catch (error) {
    if (error instanceof StoreError) return undefined;
    throw error;
  }
}

const isUndecided = ({ settledAt }: LedgerEntry): boolean => settledAt === null;

export function formatStoreLook(look: StoreLook): string {
  const { A, B, C, D } = look.backlog;
  const undecided = look.undecided.length === 0 ? "none" : look.undecided.join(", ");
  return [
    `store        ${look.dataFolder}, ${formatBytes(look.usedBytes)}, ${look.points} points`,
    `backlog      A ${A}, B ${B}, C ${C}, D ${D} records still to be told`,
    `last command ${look.lastCommandAt ?? "none"}`,
    `undecided    ${undecided}`,
    "",
  ].join("\n");
}
