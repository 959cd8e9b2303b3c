import type { CommandRecords } from "../command-ledger.ts";
import type { CriticalDesired } from "../critical-values.ts";
import type { StoreDatabase } from "../database.ts";
import type { History } from "../history.ts";
import type { ReadOnlyStore } from "../store.ts";
import type { SyncView } from "../sync-ledger.ts";
import type { Twins } from "../twins.ts";

export interface ReadOnlyParts extends Pick<ReadOnlyStore, "lineage"> {
  readonly critical: StoreDatabase;
  readonly reader: StoreDatabase;
  readonly commands: CommandRecords;
  readonly desired: CriticalDesired;
  readonly sync: SyncView;
  readonly twins: Twins;
  readonly history: History;
  readonly numbers: ReturnType<ReadOnlyStore["telemetry"]["numberedPoints"]>;
}

/** A store that was opened to be looked at. */
export function lookInto(parts: ReadOnlyParts): ReadOnlyStore {
  return {
    lineage: parts.lineage,
    commands: parts.commands,
    desired: parts.desired,
    sync: parts.sync,
    telemetry: {
      latest: (point) => parts.twins.latest(point),
      latestAll: () => parts.twins.all(),
      numberedPoints: () => parts.numbers,
      history: (point, span) => parts.history.read(point, span),
    },
    [Symbol.dispose]: () => {
      parts.reader.close();
      parts.critical.close();
    },
  };
}
