import type { Logger } from "pino";
import { type Clock, Millis, Seconds } from "../../../domain/time.ts";
import { StoreError } from "../store.ts";
import type { WriteGuard } from "../write-guard.ts";
import type { TelemetryLink } from "./telemetry-link.ts";
import type { CommitGroup } from "./telemetry-writer.ts";

const RETRY_MIN = Seconds(1);
const RETRY_MAX = Seconds(30);

export interface DurableCommitParts {
  readonly clock: Pick<Clock, "sleep">;
  readonly logger: Logger;
  readonly link: TelemetryLink;
  readonly guard: WriteGuard;
  /** Bytes of free pages in telemetry.db. */
  readonly ownRoomBytes: () => number;
}

/** Commits one group after the other, each until it is known to be durable or never will be. */
export class DurableCommit {
  readonly #parts: DurableCommitParts;

  constructor(parts: DurableCommitParts) {
    this.#parts = parts;
  }

  /**
   * Never rejects; `onFailure` hears of each failure. `closing`: the store closes while the group can not be made
   * durable; `read-only`: the disk failed too often, so no group will be.
   */
  async commit(
    group: CommitGroup,
    onFailure: (error: StoreError) => void,
    signal: AbortSignal,
  ): Promise<"durable" | "closing" | "read-only"> {
    const { clock, logger, link, guard } = this.#parts;
    const attempt = async (work: () => Promise<void>): Promise<boolean> => {
      const error = await this.#try(work);
      if (error !== undefined && !signal.aborted) onFailure(guard.refusal("telemetry") ?? error);
      return error === undefined;
    };
    if (guard.refusal("telemetry") === undefined && (await attempt(() => link.commit(group))))
      return "durable";
    for (let wait = RETRY_MIN; ; wait = Millis(Math.min(RETRY_MAX, wait * 2))) {
      if (guard.refusal("telemetry") !== undefined) return "read-only";
      await clock.sleep(wait, signal).catch(() => undefined);
      if (signal.aborted) return "closing";
      const again = async (): Promise<void> => {
        if ((await link.open()) < group.number) await link.commit(group);
      };
      if (!(await attempt(again))) continue;
      logger.warn({ file: "telemetry" }, "telemetry is durable again");
      return "durable";
    }
  }

  async #try(work: () => Promise<void>): Promise<StoreError | undefined> {
    const { guard, ownRoomBytes } = this.#parts;
    try {
      if (!guard.mayGrow(ownRoomBytes))
        return new StoreError("not-durable", "the disk is full, and what is left of it is for evidence");
      await work();
      return undefined;
    } catch (cause) {
      const error =
        cause instanceof StoreError ? cause : new StoreError("not-durable", "a group of readings", { cause });
      guard.note("telemetry", error);
      return error;
    }
  }
}
