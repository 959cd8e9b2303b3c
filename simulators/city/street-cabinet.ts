import { SegmentCabinet } from "../cabinet/segment-cabinet.ts";
import type { SimulatorClock } from "../clock.ts";
import { DaliBridge } from "../dali/dali-bridge.ts";
import type { GearPlace } from "../dali/gear-state.ts";
import type { Journal } from "../journal.ts";
import { Sdm630 } from "../meter/sdm630.ts";
import type { RegisterBank } from "../modbus/register-bank.ts";
import { seedOfName } from "../seeded-chance.ts";
import type { Sky } from "../sky/sky.ts";
import { CABINET_UNITS, type CabinetConfig } from "./cabinet-config.ts";
import { FeederLamps } from "./feeder-lamps.ts";

/** What stands in one cabinet, wired. */
export interface StreetCabinet extends Disposable {
  readonly bridge: DaliBridge;
  readonly controller: SegmentCabinet;
  readonly meter: Sdm630;
  /** By Modbus unit id. */
  readonly units: ReadonlyMap<number, RegisterBank>;
}

/** Its seed hangs on its id, so that another share or order of cabinets leaves it as it is. */
export function newStreetCabinet(
  config: Omit<CabinetConfig, "listen">,
  world: {
    readonly seed: number;
    readonly journal: Journal;
    readonly clock: SimulatorClock;
    readonly sky: Sky;
  },
): StreetCabinet {
  const { journal, clock, sky } = world;
  const { id, fadeMs, minOnOffSec } = config;
  const seed = seedOfName(world.seed, id);
  const gears = placesOf(config);
  const bridge = new DaliBridge({
    id,
    lampId: ({ shortAddress }) => `${id}-l${String(shortAddress + 1).padStart(2, "0")}`,
    channels: 1,
    gears,
    seed,
    fade: fadeMs,
    refreshMs: 100,
    holes: "exception",
    journal,
    clock,
  });
  // Gears are in the order of short addresses, so a short address is the gear's index.
  const lamps = new FeederLamps(bridge, config.feeders, clock);
  const controller = new SegmentCabinet({ id, seed, minOnOffSec, loads: lamps, journal, clock, sky });
  const meter = new Sdm630({ id, seed, load: lamps, journal, clock });
  const units = new Map<number, RegisterBank>([
    [CABINET_UNITS.bridge, bridge],
    [CABINET_UNITS.controller, controller],
    [CABINET_UNITS.meter, meter],
  ]);
  return { bridge, controller, meter, units, [Symbol.dispose]: () => controller[Symbol.dispose]() };
}

function placesOf({ feeders, groups }: Pick<CabinetConfig, "feeders" | "groups">): GearPlace[] {
  const count = feeders.flat().length;
  return Array.from({ length: count }, (_, shortAddress) => ({
    channel: 0,
    shortAddress,
    groups: groups.reduce(
      (bits, members, group) => (members.includes(shortAddress) ? bits | (1 << group) : bits),
      0,
    ),
  }));
}
