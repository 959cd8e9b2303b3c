import type { BusId } from "../../../domain/ids.ts";
import type {
  BusFrame,
  Field,
  FieldFrames,
  FreshRead,
  FreshReadResult,
  Operation,
  OperationResult,
} from "../field-plan.ts";

/** Hands what concerns a bus to the host that has it. */
export class FieldRouter implements Field, FieldFrames {
  readonly #hosts: ReadonlyMap<BusId, Field & FieldFrames>;

  constructor(hosts: ReadonlyMap<BusId, Field & FieldFrames>) {
    this.#hosts = hosts;
  }

  async runOperation(operation: Operation, signal: AbortSignal): Promise<OperationResult> {
    const host = this.#hosts.get(operation.busId);
    if (host !== undefined) return await host.runOperation(operation, signal);
    const detail = `no field host has bus ${operation.busId}: nothing was written`;
    return { outcome: "rejected", cause: "unknown-point", detail };
  }

  async readNow(read: FreshRead, signal: AbortSignal): Promise<FreshReadResult> {
    const host = this.#hosts.get(read.busId);
    if (host !== undefined) return await host.readNow(read, signal);
    return { outcome: "fault", code: "unknown-address", detail: `no field host has bus ${read.busId}` };
  }

  async readFrames(busId: BusId): Promise<readonly BusFrame[]> {
    return (await this.#hosts.get(busId)?.readFrames(busId)) ?? [];
  }
}
