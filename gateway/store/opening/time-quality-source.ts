import type { Store } from "../store.ts";

type Source = Parameters<Store["useTimeQuality"]>[0];

/** Who is asked how far the wall clock may be trusted; the uplink takes the place over when it lives. */
export class TimeQualitySource {
  #source: Source = () => "holdover";

  use(source: Source): void {
    this.#source = source;
  }

  now(): ReturnType<Source> {
    return this.#source();
  }
}
