import type { Logger } from "pino";
import type { PointId, PointNumber } from "../../domain/ids.ts";
import { type Clock, Millis } from "../../domain/time.ts";
import type { ReadFinding, ReadFrame } from "../../domain/wire/fresh-read.ts";
import type { PointIndex, PointOfDevice } from "../site/site.ts";
import type { Store } from "../store/store.ts";
import type { FieldReadResult, OperationRunner } from "./field-operation.ts";

export interface CenterReadsParts {
  readonly points: PointIndex;
  readonly runner: Pick<OperationRunner, "readNow">;
  readonly store: Pick<Store, "evidence">;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Reads of the center at once: they share the lines with polling, so one more is answered as `busy`. */
const READS_MAX = 8;
/** Of the audit's detail. */
const DETAIL_LENGTH_MAX = 4_096;

/** Reads on the bus for the center's people (K0): audit only, no ledger row (PROTOCOL §8). */
export class CenterReads {
  readonly #parts: CenterReadsParts;
  #running = 0;

  constructor(parts: CenterReadsParts) {
    this.#parts = parts;
  }

  /** One finding for each point asked, in their order; what can not be read says why. Never rejects. */
  async read(frame: ReadFrame, signal: AbortSignal): Promise<readonly ReadFinding[]> {
    const refusal = this.#running >= READS_MAX ? "busy" : this.#audit(frame);
    if (refusal !== undefined) return frame.pointIds.map((pointId) => unread(pointId, refusal));
    this.#running += 1;
    const late = new AbortController();
    const cancel = this.#parts.clock.schedule(Millis(frame.budgetMs), () =>
      late.abort(new Error("nobody waits for the read any more")),
    );
    try {
      return await this.#readAll(frame, AbortSignal.any([signal, late.signal]));
    } catch (err) {
      this.#parts.logger.error(
        { err, readId: frame.readId },
        "a read ended in an error no field should have",
      );
      return frame.pointIds.map((pointId) => unread(pointId, "field-host-down"));
    } finally {
      cancel();
      this.#running -= 1;
    }
  }

  /** Units are asked side by side: each waits for its own line only. */
  async #readAll({ pointIds }: ReadFrame, signal: AbortSignal): Promise<readonly ReadFinding[]> {
    const targets = pointIds.map((id) => this.#parts.points.find(id as PointId));
    const readable = targets.filter((target) => target !== undefined && isReadable(target));
    const units = Map.groupBy(
      readable.filter((target) => target !== undefined),
      ({ device }) => `${device.busId} ${device.unitAddress}`,
    );
    const found = new Map<PointNumber, Omit<ReadFinding, "pointId">>();
    const readings = [...units.values()].map(async (unit) => {
      for (const [number, finding] of await this.#readUnit(unit, signal)) found.set(number, finding);
    });
    await Promise.all(readings);
    return pointIds.map((pointId, index) => {
      const target = targets[index];
      if (target === undefined) return unread(pointId, "unknown-address");
      if (!isReadable(target)) return unread(pointId, "not-readable");
      const finding = found.get(target.point.number);
      return finding === undefined ? unread(pointId, "timeout") : { pointId, ...finding };
    });
  }

  async #readUnit(
    unit: readonly PointOfDevice[],
    signal: AbortSignal,
  ): Promise<readonly (readonly [PointNumber, Omit<ReadFinding, "pointId">])[]> {
    const [first] = unit;
    if (first === undefined) return [];
    const { busId, unitAddress } = first.device;
    const points = [...new Set(unit.map(({ point }) => point.number))];
    const result: FieldReadResult = await this.#parts.runner.readNow({ busId, unitAddress, points }, signal);
    if (result.outcome === "read")
      return result.changes.map(({ point, value, quality, cause }) => [point, { value, quality, cause }]);
    const { pointId: _, ...finding } = unread("", result.code);
    return points.map((point) => [point, finding]);
  }

  /** Undefined: it is on record. */
  #audit({ requester, pointIds }: ReadFrame): "store-unavailable" | undefined {
    try {
      const detail = pointIds.join(" ").slice(0, DETAIL_LENGTH_MAX);
      this.#parts.store.evidence.append({ kind: "audit", action: "read", actor: requester, detail });
      return undefined;
    } catch (err) {
      this.#parts.logger.error(
        { err },
        "a read of the center could not be put in the audit: nothing is read",
      );
      return "store-unavailable";
    }
  }
}

function isReadable({ point: { definition } }: PointOfDevice): boolean {
  return definition.access !== "write" && definition.type !== "action";
}

const CONFIGURATION = ["unknown-address", "not-readable"];

function unread(pointId: string, cause: string): ReadFinding {
  const quality = CONFIGURATION.includes(cause) ? "bad/configuration-error" : "bad/no-communication";
  return { pointId, value: null, quality, cause };
}
