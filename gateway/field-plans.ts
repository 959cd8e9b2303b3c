import type { Device } from "../domain/device.ts";
import type { PointNumber } from "../domain/ids.ts";
import { POLL_CLASSES, type PollClass, type SitePoint } from "../domain/point.ts";
import type { Quirk } from "../domain/profile.ts";
import type { FieldBusPlan, FieldPlan, FieldUnitPlan, SweepPlan } from "./field/field-plan.ts";
import type { Site, SiteBus } from "./site/site.ts";

/** What each field host is told, and which sweep confirms each point. */
export interface FieldPlans {
  /** One for each isolation group that has a bus with devices, in the order of the site file. */
  readonly plans: readonly FieldPlan[];
  /** `null`: the point is not polled, since it is only written. */
  sweepOf(point: PointNumber): number | null;
}

/** Groups buses by isolation group and devices by unit, and numbers the sweeps from 1 for this run. Pure. */
export function makeFieldPlans(site: Site): FieldPlans {
  const sweeps = new SweepBook();
  const devicesOf = Map.groupBy(site.devices, ({ busId }) => busId);
  const busyBuses = site.buses.filter(({ id }) => devicesOf.has(id));
  const buses = busyBuses.map((bus) => ({ bus, plan: busPlan(bus, devicesOf.get(bus.id) ?? [], sweeps) }));
  const groups = Map.groupBy(buses, ({ bus }) => bus.isolationGroup);
  const plans = [...groups].map(([group, members]) => ({ group, buses: members.map(({ plan }) => plan) }));
  return { plans, sweepOf: (point) => sweeps.sweepOf(point) };
}

class SweepBook {
  readonly #sweepOf = new Map<PointNumber, number>();
  #last = 0;

  /** One sweep for each poll class in which the unit has a point that is read. */
  open(points: readonly SitePoint[]): readonly SweepPlan[] {
    const read = points.filter(
      ({ definition }) => definition.access !== "write" && definition.type !== "action",
    );
    const classes = Map.groupBy(read, ({ definition }) => definition.pollClass);
    return POLL_CLASSES.flatMap((pollClass) => this.#openOne(pollClass, classes.get(pollClass) ?? []));
  }

  #openOne(pollClass: PollClass, points: readonly SitePoint[]): readonly SweepPlan[] {
    if (points.length === 0) return [];
    this.#last += 1;
    for (const point of points) this.#sweepOf.set(point.number, this.#last);
    return [{ number: this.#last, pollClass }];
  }

  sweepOf(point: PointNumber): number | null {
    return this.#sweepOf.get(point) ?? null;
  }
}

function busPlan(bus: SiteBus, devices: readonly Device[], sweeps: SweepBook): FieldBusPlan {
  const { id, driver, config, requestTimeout, pollIntervals } = bus;
  const units = Map.groupBy(devices, ({ unitAddress }) => unitAddress);
  const unitPlans = [...units].map(([unitAddress, behind]) => unitPlan(unitAddress, behind, sweeps));
  return { id, driver, config, requestTimeout, pollIntervals, units: unitPlans };
}

function unitPlan(unitAddress: string, devices: readonly Device[], sweeps: SweepBook): FieldUnitPlan {
  const points = devices.flatMap((device) => device.points);
  return { unitAddress, quirks: mergedQuirks(devices), points, sweeps: sweeps.open(points) };
}

/** Devices behind one unit share its line: of equal flags the careful one holds. */
function mergedQuirks(devices: readonly Device[]): readonly Quirk[] {
  const merged = new Map<Quirk["flag"], Quirk>();
  for (const quirk of devices.flatMap((device) => device.quirks)) {
    const known = merged.get(quirk.flag);
    if (known === undefined || isMoreCareful(quirk, known)) merged.set(quirk.flag, quirk);
  }
  return [...merged.values()];
}

/** Waiting longer is careful; so is reading fewer registers at once. */
function isMoreCareful(quirk: Quirk, known: Quirk): boolean {
  return quirk.flag === "registers-per-read" ? quirk.value < known.value : quirk.value > known.value;
}
