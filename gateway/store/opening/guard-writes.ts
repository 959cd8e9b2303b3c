import type { Clock } from "../../../domain/time.ts";
import type { EventBody, EvidenceBody } from "../../../domain/wire/record-kinds.ts";
import type { Ballast } from "../space/ballast.ts";
import { StoreError } from "../store.ts";
import { WriteGuard } from "../write-guard.ts";

/** Records of the store about itself; the file that still takes writes tells of the one that does not. */
export interface StoreTelling {
  evidence(body: EvidenceBody): void;
  event(body: EventBody): void;
}

export function guardWrites(clock: Clock, ballast: Ballast, telling: () => StoreTelling): WriteGuard {
  return new WriteGuard({
    clock,
    ballast,
    onReadOnly: (file, { message }) => {
      const detail = message.slice(0, 1_000);
      if (file === "critical") {
        const alarm = { kind: "alarm", name: "store-read-only", active: true } as const;
        telling().event({ ...alarm, severity: "high", subject: `${file}.db`, detail });
      } else {
        orElseNothing(() => telling().evidence(auditOf("store-read-only", detail)));
      }
    },
    onRoomMade: () => orElseNothing(() => telling().evidence(BALLAST_RELEASED)),
  });
}

export const BALLAST_RELEASED = auditOf(
  "store-ballast-released",
  "the disk is full: the room kept back is given to lane A, and telemetry waits until there is space",
);

function auditOf(action: string, detail: string): EvidenceBody {
  return { kind: "audit", action, actor: "gateway", detail };
}

/** The failure is counted, and seen in the store's health. */
function orElseNothing(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
  }
}
