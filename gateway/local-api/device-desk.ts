import type { Device } from "../../domain/device.ts";
import { Instant } from "../../domain/time.ts";
import type { PointOfDevice } from "../site/site.ts";
import type { DeviceAnswer, DeviceSummary, HistoryAnswer } from "./client/answers.ts";
import { LocalApiFault } from "./local-api-fault.ts";
import type { LocalApiParts } from "./local-api-parts.ts";
import type { parseHistoryQuery } from "./parse-request.ts";
import { isReadable, pointAnswer, worstOf } from "./point-answer.ts";

/** Devices of the site by id, and what is asked of them. */
export class DeviceDesk {
  readonly #parts: LocalApiParts;
  readonly #byId: ReadonlyMap<string, Device>;

  constructor(parts: LocalApiParts) {
    this.#parts = parts;
    this.#byId = new Map(parts.site.devices.map((device) => [device.id, device]));
  }

  summaries(): readonly DeviceSummary[] {
    return this.#parts.site.devices.map((device) => ({
      ...this.#describe(device),
      points: device.points.length,
    }));
  }

  answer(id: string): DeviceAnswer {
    const device = this.get(id);
    const points = device.points.map((point) => pointAnswer(point, this.#parts));
    return { ...this.#describe(device), points };
  }

  history(
    id: { readonly device: string; readonly point: string },
    query: ReturnType<typeof parseHistoryQuery>,
  ): HistoryAnswer {
    const { point } = this.getPoint(id);
    const span = {
      from: Instant(query.from ?? 0),
      to: Instant(query.to ?? this.#parts.clock.now()),
      limit: query.limit,
    };
    const readings = this.#parts.store.telemetry.history(point.number, span).map((change) => ({
      value: change.value,
      quality: change.quality,
      cause: change.cause,
      gatewayTimestamp: new Date(change.gatewayTimestamp).toISOString(),
      sourceTimestamp:
        change.sourceTimestamp === null ? null : new Date(change.sourceTimestamp).toISOString(),
    }));
    return { pointId: point.id, unit: point.definition.unit, readings };
  }

  /** @throws {LocalApiFault} `unknown-device` */
  get(id: string): Device {
    const device = this.#byId.get(id);
    if (device === undefined)
      throw new LocalApiFault("unknown-device", `no device ${JSON.stringify(id)} on this gateway`, {
        pointer: "/device",
      });
    return device;
  }

  /** @throws {LocalApiFault} `unknown-device` or `unknown-point` */
  getPoint({
    device: deviceId,
    point: name,
  }: {
    readonly device: string;
    readonly point: string;
  }): PointOfDevice {
    const device = this.get(deviceId);
    const point = device.points.find(({ definition }) => definition.name === name);
    if (point !== undefined) return { device, point };
    throw new LocalApiFault("unknown-point", `device ${deviceId} has no point ${JSON.stringify(name)}`, {
      pointer: "/point",
    });
  }

  #describe(device: Device): Omit<DeviceSummary, "points"> {
    const { telemetry } = this.#parts.store;
    const qualities = device.points
      .filter(isReadable)
      .map(({ number }) => telemetry.latest(number)?.quality ?? "bad/waiting-for-initial-data");
    return {
      id: device.id,
      name: device.name,
      class: device.class,
      service: device.service,
      profileId: device.profileId,
      busId: device.busId,
      unitAddress: device.unitAddress,
      parent: device.parent ?? null,
      members: device.members,
      worstQuality: worstOf(qualities),
    };
  }
}
