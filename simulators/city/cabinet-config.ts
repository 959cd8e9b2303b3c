import { GEARS_PER_CHANNEL } from "../dali/gear-state.ts";
import { Fields, InvalidField } from "../input-fields.ts";
import type { CityPlacement } from "./placement.ts";

/** A street cabinet: DALI bridge, controller and meter behind one serial-to-TCP converter. */
export interface CabinetConfig {
  /** A slug; lamps are `<id>-l01` and on, the controller has this id, the meter `<id>-meter`. */
  readonly id: string;
  /** Address and port; port 0 lets the system choose. Default 127.0.0.1:0. */
  readonly listen: string;
  /** Short addresses on each feeder, 1 to 8 feeders; together 0..n-1, each once. */
  readonly feeders: readonly (readonly number[])[];
  /** Short addresses of DALI groups 0 and on. Default: one of all. */
  readonly groups: readonly (readonly number[])[];
  /** ms a level takes. Default 50. */
  readonly fadeMs: number;
  /** Least time between two moves of a contactor as the cabinet comes, s, 0..3600. Default 60. */
  readonly minOnOffSec: number;
}

/** Lamps that fail, and are repaired. */
export interface AgeingConfig {
  /** A lamp of this process fails so often, on average, s. */
  readonly failureEverySec: number;
  /** And is repaired after so long, s. */
  readonly repairAfterSec: number;
}

/** Behind the one socket of a cabinet. */
export const CABINET_UNITS = { bridge: 1, controller: 2, meter: 3 } as const;

const FEEDERS_MAX = 8;
const GROUPS_MAX = 16;

/** @throws {InvalidField} */
export function parseCabinet(data: unknown, pointer: string): CabinetConfig {
  const fields = new Fields(data, pointer);
  const id = fields.slug("id");
  const listen = fields.has("listen") ? fields.text("listen") : "127.0.0.1:0";
  const feeders = parseRuns(fields, "feeders", FEEDERS_MAX);
  const lamps = feeders.flat();
  const isWhole = new Set(lamps).size === lamps.length && lamps.every((lamp) => lamp < lamps.length);
  if (feeders.length === 0 || !isWhole) {
    const expected = "1 to 8 feeders whose short addresses are together 0 and on, each once";
    throw new InvalidField(`${pointer}/feeders`, expected);
  }
  const groups = fields.has("groups") ? parseRuns(fields, "groups", GROUPS_MAX) : [lamps];
  if (groups.flat().some((lamp) => lamp >= lamps.length)) {
    throw new InvalidField(`${pointer}/groups`, `short addresses below ${lamps.length}`);
  }
  const fadeMs = fields.optionalWholeNumber("fadeMs", { min: 0, max: 600_000 }) ?? 50;
  const minOnOffSec = fields.optionalWholeNumber("minOnOffSec", { min: 0, max: 3_600 }) ?? 60;
  fields.refuseUnknown();
  return { id, listen, feeders, groups, fadeMs, minOnOffSec };
}

/** @throws {InvalidField} */
export function parseAgeing(data: unknown): AgeingConfig {
  const fields = new Fields(data, "/ageing");
  const range = { min: 1, max: 31_536_000 };
  const failureEverySec = fields.wholeNumber("failureEverySec", range);
  const repairAfterSec = fields.wholeNumber("repairAfterSec", range);
  fields.refuseUnknown();
  return { failureEverySec, repairAfterSec };
}

/** Every cabinet of the city, each on a port that the system chooses. */
export function cabinetsOf(city: CityPlacement): CabinetConfig[] {
  return city.municipalities.flatMap(({ cabinets }) =>
    cabinets.map(({ id, feeders, groups }) => ({
      id,
      listen: "127.0.0.1:0",
      feeders: feeders.map(({ shortAddresses }) => shortAddresses),
      groups: groups.map(({ shortAddresses }) => shortAddresses),
      fadeMs: 50,
      minOnOffSec: 60,
    })),
  );
}

/** Part `share` of `shares`, counted from 1: every so manieth, so that each has as much of every municipality. */
export function takeShare<Item>(
  items: readonly Item[],
  { share, shares }: { readonly share: number; readonly shares: number },
): Item[] {
  return items.filter((_, at) => at % shares === share - 1);
}

function parseRuns(fields: Fields, name: string, most: number): number[][] {
  const runs = fields.list(name);
  if (runs.length > most) throw new InvalidField(fields.pointerTo(name), `at most ${most} lists`);
  return runs.map((run, at) => {
    const pointer = `${fields.pointerTo(name)}/${at}`;
    if (!Array.isArray(run)) throw new InvalidField(pointer, "a list of short addresses");
    return run.map((lamp: unknown, index) => {
      const isGood =
        typeof lamp === "number" && Number.isInteger(lamp) && lamp >= 0 && lamp < GEARS_PER_CHANNEL;
      if (!isGood) throw new InvalidField(`${pointer}/${index}`, "a short address from 0 to 63");
      return lamp;
    });
  });
}
