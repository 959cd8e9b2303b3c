import { createHash } from "node:crypto";
import type { Device } from "../../domain/device.ts";
import type { BusId } from "../../domain/ids.ts";
import { POLL_CLASSES, type PollClass, type SitePoint } from "../../domain/point.ts";
import type { Quirk } from "../../domain/profile.ts";
import type { Millis } from "../../domain/time.ts";
import type { DeviceProbe, FieldBusPlan, FieldPlan, FieldUnitPlan } from "./field-plan.ts";
import { isPolled } from "./unit/unit-points.ts";

/** A bus as the site file tells it (`SiteBus` is one). */
export interface FieldBusSource {
  readonly id: BusId;
  readonly driver: string;
  readonly config: unknown;
  /** Buses of one group share a field host. */
  readonly isolationGroup: string;
  readonly requestTimeout: Millis;
  readonly pollIntervals: Readonly<Record<PollClass, Millis>>;
}

/** One plan for each isolation group, in the order of the buses. Sweeps are numbered 1 … over all of them. */
export function planField(
  buses: readonly FieldBusSource[],
  devices: readonly Device[],
): readonly FieldPlan[] {
  const byBus = Map.groupBy(devices, (device) => device.busId);
  let sweep = 0;
  const nextSweep = (): number => {
    sweep += 1;
    return sweep;
  };
  const groups = Map.groupBy(buses, (bus) => bus.isolationGroup);
  return [...groups].map(([group, members]) => ({
    group,
    buses: members.map((bus) => planBus(bus, byBus.get(bus.id) ?? [], nextSweep)),
  }));
}

function planBus(bus: FieldBusSource, devices: readonly Device[], nextSweep: () => number): FieldBusPlan {
  const { id, driver, config, requestTimeout, pollIntervals } = bus;
  const byUnit = Map.groupBy(devices, (device) => device.unitAddress);
  const units = [...byUnit].map(([unitAddress, members]) => planUnit(unitAddress, members, nextSweep));
  return { id, driver, config, requestTimeout, pollIntervals, units };
}

function planUnit(unitAddress: string, devices: readonly Device[], nextSweep: () => number): FieldUnitPlan {
  const points = devices.flatMap((device) => device.points);
  const classes = POLL_CLASSES.filter((pollClass) => isUsed(points, pollClass));
  return {
    unitAddress,
    quirks: quirksOf(devices),
    fingerprint: fingerprintOf(devices),
    points,
    sweeps: classes.map((pollClass) => ({ number: nextSweep(), pollClass })),
    probes: devices.flatMap(probeOf),
  };
}

/** Of the profiles' files and the choice of points. */
function fingerprintOf(devices: readonly Device[]): string {
  const parts = devices.map(({ profileHash, points }) => `${profileHash} ${points.length}`);
  return createHash("sha256")
    .update(JSON.stringify([...new Set(parts)].toSorted()))
    .digest("hex")
    .slice(0, 32);
}

/** A device that the site file gave fewer points than its profile may lack some of the checks: the others still hold. */
function probeOf({ id, points, probe = [] }: Device): readonly DeviceProbe[] {
  const checks = probe.flatMap((check) => {
    const point = points.find(({ definition }) => definition.name === check.point);
    return point === undefined ? [] : [{ number: point.number, check }];
  });
  return checks.length === 0 ? [] : [{ device: id, points: points.map(({ number }) => number), checks }];
}

function isUsed(points: readonly SitePoint[], pollClass: PollClass): boolean {
  return points.some(({ definition }) => definition.pollClass === pollClass && isPolled(definition));
}

/** Devices of one unit share a conversation: of several values of a flag the most careful one holds for all. */
function quirksOf(devices: readonly Device[]): readonly Quirk[] {
  const byFlag = Map.groupBy(
    devices.flatMap((device) => device.quirks),
    (quirk) => quirk.flag,
  );
  return [...byFlag.values()].flatMap((quirks) => quirks.toSorted(byCare).slice(0, 1));
}

function byCare(left: Quirk, right: Quirk): number {
  return left.flag === "registers-per-read" ? left.value - right.value : right.value - left.value;
}
