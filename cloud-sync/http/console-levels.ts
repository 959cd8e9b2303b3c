import type { Database } from "../store/database.ts";
import { type LevelRow, listLevels, listRaised } from "../store/views/console-levels.ts";
import type { PlaceIndex } from "./console-places.ts";

/** Columns of a `levels` message: what of these places is to be shown. */
export interface LevelColumns {
  readonly place: readonly number[];
  /** 0 … 100, a switch as 0 or 100, a text as 0 at rest, else 100; -1: nothing that is a level. */
  readonly level: readonly number[];
  /** Code of `QUALITIES`; -1: never told. */
  readonly quality: readonly number[];
  /** 1: a point that means trouble is true. */
  readonly alarm: readonly number[];
  /** When the level point was told, ms since 1970 by the center's clock; 0: never. */
  readonly at: readonly number[];
}

const PERCENT_MAX = 100;

/** Current levels of all places of one index, in memory: what the viewers were told, and what changed since. */
export class PlaceLevels {
  readonly #index: PlaceIndex;
  readonly #level: Int16Array;
  readonly #quality: Int8Array;
  readonly #alarm: Uint8Array;
  readonly #at: Float64Array;

  constructor(index: PlaceIndex) {
    this.#index = index;
    this.#level = new Int16Array(index.count).fill(-1);
    this.#quality = new Int8Array(index.count).fill(-1);
    this.#alarm = new Uint8Array(index.count);
    this.#at = new Float64Array(index.count);
  }

  /** Reads these places anew. Returns those that look otherwise than before. */
  async read(database: Database, places: readonly number[]): Promise<readonly number[]> {
    const { levelNo, alarmNos, isLight } = this.#index;
    const levels = places.map((place) => levelNo[place] ?? 0).filter((point) => point > 0);
    const alarms = places.flatMap((place) => alarmNos[place] ?? []);
    const rows = new Map((await listLevels(database, levels)).map((row) => [row.point_no, row]));
    const raised = alarms.length === 0 ? new Set() : await listRaised(database, alarms);
    return places.filter((place) => {
      const row = rows.get(levelNo[place] ?? 0);
      return this.#write(place, {
        level: levelOf(row, isLight[place] ?? 0),
        quality: row?.quality ?? -1,
        alarm: (alarmNos[place] ?? []).some((point) => raised.has(point)) ? 1 : 0,
        at: row?.at ?? 0,
      });
    });
  }

  columns(places: readonly number[]): LevelColumns {
    return {
      place: places,
      level: places.map((place) => this.#level[place] ?? -1),
      quality: places.map((place) => this.#quality[place] ?? -1),
      alarm: places.map((place) => this.#alarm[place] ?? 0),
      at: places.map((place) => this.#at[place] ?? 0),
    };
  }

  #write(
    place: number,
    told: { readonly level: number; readonly quality: number; readonly alarm: number; readonly at: number },
  ): boolean {
    const same =
      this.#level[place] === told.level &&
      this.#quality[place] === told.quality &&
      this.#alarm[place] === told.alarm &&
      this.#at[place] === told.at;
    if (same) return false;
    this.#level[place] = told.level;
    this.#quality[place] = told.quality;
    this.#alarm[place] = told.alarm;
    this.#at[place] = told.at;
    return true;
  }
}

/** Texts of a device that is as it mostly is; any other is something to see. */
const AT_REST = ["normal", "closed", "raised", "none", "off"];

/** A switch, and a text that is not its usual one, count as all or nothing. */
function levelOf(row: LevelRow | undefined, isLight: number): number {
  if (row === undefined) return -1;
  const { value_kind, value_number, value_text } = row;
  if (value_text !== null) return AT_REST.includes(value_text) ? 0 : PERCENT_MAX;
  if (value_number === null) return -1;
  if (value_kind === 2) return value_number === 1 ? PERCENT_MAX : 0;
  if (isLight === 0) return -1;
  return Math.round(Math.min(PERCENT_MAX, Math.max(0, value_number)));
}
