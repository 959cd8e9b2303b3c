import { pino } from "pino";
import { systemClock } from "../../../domain/system-clock.ts";
import { Millis } from "../../../domain/time.ts";
import type { FieldReport } from "../../../gateway/field/field-plan.ts";
import { HostSupervisor } from "../../../gateway/field/host/host-supervisor.ts";
import { busPlan, sitePoint } from "./host-bench.ts";

const ENTRY = new URL("./scripted-host-main.ts", import.meta.url);

/** A supervised host process over the scripted bus; register 2 of unit 1 counts, so that polling shows. */
export class Supervised implements AsyncDisposable {
  readonly reports: { readonly at: number; readonly report: FieldReport }[] = [];
  readonly supervisor: HostSupervisor;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;

  constructor(group: string) {
    const points = [0, 1, 2, 7, 8, 9].map((register) =>
      sitePoint(1, register, { pollClass: "safety-status" }),
    );
    this.supervisor = new HostSupervisor({
      plan: { group, buses: [busPlan([points, [sitePoint(2, 0), sitePoint(2, 1)]], 1_000)] },
      clock: systemClock,
      logger: pino({ level: "silent" }),
      sink: (report) => this.reports.push({ at: performance.now(), report }),
      entry: ENTRY,
      heapMib: 64,
    });
    this.#ended = this.supervisor.run(this.#stop.signal);
  }

  changes(after: number) {
    return this.reports.flatMap(({ at, report }) =>
      report.kind === "changes" && at > after ? report.changes.map((change) => ({ ...change, at })) : [],
    );
  }

  /** Resolves with the first change after `after` that fits. */
  async see(after: number, fits: (change: ReturnType<Supervised["changes"]>[number]) => boolean) {
    for (let tries = 0; tries < 1_500; tries += 1) {
      const found = this.changes(after).find(fits);
      if (found !== undefined) return found;
      await pause(10);
    }
    throw new Error("no such change within 15 s");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }
}

export const pause = (ms: number): Promise<void> =>
  systemClock.sleep(Millis(ms), new AbortController().signal);
