import { exponentialBackoff } from "../../../domain/backoff.ts";
import type { BusId } from "../../../domain/ids.ts";
import type { LoopService } from "../../../domain/service.ts";
import { Millis, Seconds } from "../../../domain/time.ts";
import { FieldHost, type FieldHostParts } from "../field-host.ts";
import type {
  BusFrame,
  Field,
  FieldFrames,
  FreshRead,
  FreshReadResult,
  Operation,
  OperationResult,
} from "../field-plan.ts";
import { OutageTeller } from "./outage-teller.ts";

const RESTART_BACKOFF = { min: Millis(200), max: Seconds(30) };

/** A field host in the core's own process, for small gateways and tests: no isolation, the same behaviour otherwise. */
export class InProcessField implements Field, FieldFrames, LoopService {
  readonly name: string;
  readonly #parts: FieldHostParts;
  readonly #outage: OutageTeller;
  #host: FieldHost;

  constructor(parts: FieldHostParts) {
    this.name = `field host ${parts.plan.group}`;
    this.#outage = new OutageTeller(parts.plan, parts.clock, parts.sink);
    this.#parts = { ...parts, sink: this.#outage.sink };
    this.#host = new FieldHost(this.#parts);
  }

  async run(signal: AbortSignal): Promise<void> {
    for (let failures = 1; !signal.aborted; failures += 1) {
      try {
        await this.#host.run(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#parts.logger.error(
          { err: error, fieldHost: this.#parts.plan.group },
          "field host failed; it is started again",
        );
        this.#outage.tell();
        this.#host = new FieldHost(this.#parts);
        await this.#sleep(exponentialBackoff(failures, RESTART_BACKOFF), signal);
      }
    }
  }

  async runOperation(operation: Operation, signal: AbortSignal): Promise<OperationResult> {
    return await this.#host.runOperation(operation, signal);
  }

  async readNow(read: FreshRead, signal: AbortSignal): Promise<FreshReadResult> {
    return await this.#host.readNow(read, signal);
  }

  async readFrames(busId: BusId): Promise<readonly BusFrame[]> {
    return await this.#host.readFrames(busId);
  }

  async #sleep(duration: Millis, signal: AbortSignal): Promise<void> {
    try {
      await this.#parts.clock.sleep(duration, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
