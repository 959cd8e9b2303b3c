import type { GatewayLink, GatewayView, LevelsAnswer, LevelsMessage } from "../api/answers.ts";
import { NO_MUNICIPALITY } from "./contours.ts";
import { type LevelMeaning, LOOK, levelMeaning, lookOf } from "./look.ts";
import { Observable } from "./observable.ts";
import type { PlaceTable } from "./place-table.ts";

interface KnownLink {
  state: GatewayLink["state"];
  sweeps: ReadonlyMap<number, number>;
}

/** Silence of the center itself after which nothing on the map is known any more. */
const CENTER_SILENCE_MAX_MS = 20_000;
/** A time that lies further ahead was told by a clock that is wrong, and proves nothing. */
const AHEAD_MAX_MS = 5_000;

/** What the console knows of the city, in columns; looks are made anew as time passes. */
export class CityModel {
  readonly table: PlaceTable;
  readonly looks: Uint8Array;
  /** Counts up with each change of looks: whoever paints follows it. */
  readonly version = new Observable(0);
  readonly #level: Int16Array;
  readonly #quality: Int8Array;
  readonly #alarm: Uint8Array;
  readonly #at: Float64Array;
  readonly #links: KnownLink[];
  /** Of each class. */
  readonly #meanings: readonly LevelMeaning[];
  /** The center's clock minus this page's. */
  #offset = 0;
  #heardAt = 0;

  constructor(table: PlaceTable) {
    this.table = table;
    this.looks = new Uint8Array(table.count);
    this.#level = new Int16Array(table.count).fill(-1);
    this.#quality = new Int8Array(table.count).fill(-1);
    this.#alarm = new Uint8Array(table.count);
    this.#at = new Float64Array(table.count);
    this.#meanings = table.answer.classes.map(levelMeaning);
    this.#links = table.answer.gateways.map(() => ({ state: "down", sweeps: new Map() }));
  }

  /** Ms since 1970 by the center's clock. */
  now(): number {
    return performance.now() + this.#offset;
  }

  /** The center spoke just now; `nowMs` is its time. */
  heard(nowMs?: number): void {
    this.#heardAt = performance.now();
    if (nowMs !== undefined) this.#offset = nowMs - this.#heardAt;
  }

  /** False: the center has been silent for so long that nothing is known. */
  isFollowing(): boolean {
    return performance.now() - this.#heardAt < CENTER_SILENCE_MAX_MS;
  }

  takeAll(answer: LevelsAnswer): void {
    this.heard(answer.nowMs);
    this.#level.set(answer.level);
    this.#quality.set(answer.quality);
    this.#alarm.set(answer.alarm);
    this.#at.set(answer.at);
    this.takeLinks(answer.gateways);
  }

  takeSome(message: LevelsMessage): void {
    this.heard(message.nowMs);
    for (const [index, place] of message.place.entries()) {
      this.#level[place] = message.level[index] ?? -1;
      this.#quality[place] = message.quality[index] ?? -1;
      this.#alarm[place] = message.alarm[index] ?? 0;
      this.#at[place] = message.at[index] ?? 0;
    }
    this.judge();
  }

  takeLinks(gateways: readonly (GatewayLink | GatewayView)[]): void {
    for (const { id, state, sweeps } of gateways) {
      const gateway = this.table.answer.gateways.indexOf(id);
      if (gateway !== -1) this.#links[gateway] = { state, sweeps: new Map(sweeps) };
    }
    this.judge();
  }

  level(place: number): number {
    return this.#level[place] ?? -1;
  }

  quality(place: number): number {
    return this.#quality[place] ?? -1;
  }

  linkOf(place: number): GatewayLink["state"] {
    return this.#links[this.table.gatewayOf[place] ?? 0]?.state ?? "down";
  }

  /** Ms since a point of this gateway was told or found unchanged. */
  pointAge(gateway: string, told: { readonly atMs: number; readonly sweep: number | null }): number {
    const link = this.#links[this.table.answer.gateways.indexOf(gateway)];
    const swept = told.sweep === null ? undefined : link?.sweeps.get(told.sweep);
    return ageFrom(this.now(), told.atMs, swept);
  }

  /** The link as it is heard; when the center itself is silent, nothing is linked. */
  gatewayLink(gateway: string): GatewayLink["state"] {
    if (!this.isFollowing()) return "down";
    return this.#links[this.table.answer.gateways.indexOf(gateway)]?.state ?? "down";
  }

  /** Gateways with a link, slow or not. */
  countLinks(): { readonly up: number; readonly all: number } {
    const up = this.isFollowing() ? this.#links.filter(({ state }) => state !== "down").length : 0;
    return { up, all: this.#links.length };
  }

  /** Ms since the level was told or found unchanged; Infinity: never. */
  age(place: number): number {
    return this.#ageOf(place, this.now());
  }

  /** Makes every look anew: some 2 ms for 36,000 places. */
  judge(): void {
    const now = this.now();
    const following = this.isFollowing();
    let moved = 0;
    for (let place = 0; place < this.table.count; place += 1) {
      const look = following
        ? lookOf({
            meaning: this.#meanings[this.table.classOf[place] ?? 0] ?? "activity",
            level: this.#level[place] ?? -1,
            quality: this.#quality[place] ?? -1,
            alarm: this.#alarm[place] ?? 0,
            age: this.#ageOf(place, now),
            maxAge: this.table.answer.maxAgeMs[place] ?? 0,
            link: this.linkOf(place),
          })
        : LOOK.unknown;
      if (this.looks[place] !== look) moved += 1;
      this.looks[place] = look;
    }
    if (moved > 0) this.version.set(this.version.value + 1);
  }

  /** Municipalities of which most places are unknown: their area is hatched. */
  unknownMunicipalities(count: number): readonly boolean[] {
    const [all, unknown] = [new Uint32Array(count), new Uint32Array(count)];
    for (let place = 0; place < this.table.count; place += 1) {
      const municipality = this.table.municipalityOf[place] ?? NO_MUNICIPALITY;
      if (municipality >= count) continue;
      all[municipality] = (all[municipality] ?? 0) + 1;
      if (this.looks[place] === LOOK.unknown) unknown[municipality] = (unknown[municipality] ?? 0) + 1;
    }
    return Array.from(all, (total, index) => total > 0 && (unknown[index] ?? 0) * 2 > total);
  }

  #ageOf(place: number, now: number): number {
    const sweep = this.table.answer.sweep[place] ?? 0;
    const swept = sweep === 0 ? undefined : this.#links[this.table.gatewayOf[place] ?? 0]?.sweeps.get(sweep);
    return ageFrom(now, this.#at[place] ?? 0, swept);
  }
}

/** The younger of what was told and what was found unchanged. */
export function ageFrom(now: number, toldAt: number, sweptAt: number | undefined): number {
  const usable = [toldAt, sweptAt ?? 0].filter((at) => at > 0 && at < now + AHEAD_MAX_MS);
  return usable.length === 0 ? Number.POSITIVE_INFINITY : Math.max(0, now - Math.max(...usable));
}
