import { since } from "../../domain/time.ts";
import type { ReadAnswer } from "./client/answers.ts";
import { crewPrincipal } from "./crew-principal.ts";
import type { DeviceDesk } from "./device-desk.ts";
import { LocalApiFault } from "./local-api-fault.ts";
import type { LocalApiParts } from "./local-api-parts.ts";
import type { ReadBody } from "./parse-request.ts";
import { isReadable, readingAnswer } from "./point-answer.ts";

/** Fresh reads at once; they share the lines with polling, so one more is refused as `busy`. */
const READS_MAX = 8;

/** Reads on the bus for people (K0): no ledger row, audit only (PROTOCOL §8). */
export class ReadDesk {
  readonly #parts: LocalApiParts;
  readonly #devices: DeviceDesk;
  readonly #signal: AbortSignal;
  #running = 0;

  constructor(parts: LocalApiParts, devices: DeviceDesk, signal: AbortSignal) {
    this.#parts = parts;
    this.#devices = devices;
    this.#signal = signal;
  }

  /** @throws {LocalApiFault} */
  async read(body: ReadBody): Promise<ReadAnswer> {
    const device = this.#devices.get(body.device);
    const points =
      body.point === undefined
        ? device.points.filter(isReadable)
        : [this.#devices.getPoint({ device: body.device, point: body.point }).point].filter(isReadable);
    if (points.length === 0)
      throw new LocalApiFault("not-readable", `${body.device} has nothing to read there`, {
        pointer: body.point === undefined ? "/device" : "/point",
      });
    if (this.#running >= READS_MAX) throw new LocalApiFault("busy", `${READS_MAX} reads are running already`);
    this.#tell(body);
    const { clock, field } = this.#parts;
    const startedAt = clock.uptime();
    this.#running += 1;
    try {
      const numbers = points.map(({ number }) => number);
      const read = { busId: device.busId, unitAddress: device.unitAddress, points: numbers };
      const result = await field.readNow(read, this.#signal);
      const tookMs = Math.round(since(startedAt, clock.uptime()) * 10) / 10;
      const shared = { deviceId: device.id, tookMs };
      if (result.outcome === "fault")
        return { ...shared, outcome: "fault", code: result.code, detail: result.detail };
      const changes = new Map(result.changes.map((change) => [change.point, change]));
      return {
        ...shared,
        outcome: "read",
        points: points.map((point) => readingAnswer(point, changes.get(point.number), this.#parts)),
      };
    } finally {
      this.#running -= 1;
    }
  }

  #tell({ device, point, name }: ReadBody): void {
    const detail = point === undefined ? device : `${device}/${point}`;
    try {
      this.#parts.store.evidence.append({
        kind: "audit",
        action: "read",
        actor: crewPrincipal(name),
        detail,
      });
    } catch (cause) {
      throw new LocalApiFault("store-unavailable", "the read could not be put in the audit", { cause });
    }
  }
}
