import type { PlacesAnswer } from "../api/answers.ts";
import { type Contour, municipalityOf, NO_MUNICIPALITY } from "./contours.ts";
import { toMetres } from "./plane.ts";

/** Every device in columns; a place is a number, valid for one table. */
export class PlaceTable {
  readonly answer: PlacesAnswer;
  readonly count: number;
  /** Metres; NaN without a position. */
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly classOf: Uint8Array;
  readonly gatewayOf: Uint16Array;
  /** Position in the list of contours, or `NO_MUNICIPALITY`. */
  readonly municipalityOf: Uint8Array;
  readonly #placeOf: Map<string, number>;

  constructor(answer: PlacesAnswer, contours: readonly Contour[]) {
    this.answer = answer;
    this.count = answer.id.length;
    this.classOf = Uint8Array.from(answer.class);
    this.gatewayOf = Uint16Array.from(answer.gateway);
    this.x = new Float32Array(this.count);
    this.y = new Float32Array(this.count);
    this.municipalityOf = new Uint8Array(this.count);
    let guess = 0;
    for (let place = 0; place < this.count; place += 1) {
      const at = toMetres((answer.lon[place] ?? Number.NaN) / 1e6, (answer.lat[place] ?? Number.NaN) / 1e6);
      const placed = answer.lon[place] !== null;
      this.x[place] = placed ? at.x : Number.NaN;
      this.y[place] = placed ? at.y : Number.NaN;
      // Devices of one gateway lie together, so the last answer is the best guess for the next.
      const found = placed ? municipalityOf(contours, at, guess) : NO_MUNICIPALITY;
      if (found !== NO_MUNICIPALITY) guess = found;
      this.municipalityOf[place] = found;
    }
    this.#placeOf = new Map(answer.id.map((_, place) => [this.key(place), place]));
  }

  key(place: number): string {
    return `${this.gateway(place)}/${this.id(place)}`;
  }

  find(key: string): number | undefined {
    return this.#placeOf.get(key);
  }

  id(place: number): string {
    return this.answer.id[place] ?? "";
  }

  name(place: number): string {
    return this.answer.name[place] || this.id(place);
  }

  gateway(place: number): string {
    return this.answer.gateways[this.answer.gateway[place] ?? -1] ?? "";
  }

  className(place: number): string {
    return this.answer.classes[this.answer.class[place] ?? -1] ?? "";
  }
}
