/** What can be done at a device besides its action: `{ door: "…", force: 1 }`. */
export type HandFields = Readonly<Record<string, number | string | readonly number[]>>;

/** A hand on site: the simulators' control interface. It never goes through a gateway. */
export class SiteHand {
  readonly #controls: readonly string[];

  constructor(controls: readonly { readonly host: string; readonly port: number }[]) {
    this.#controls = controls.map(({ host, port }) => `http://${host}:${port}`);
  }

  /** @param feeder 1..8, for what happens to one feeder. @throws unless one of the simulators has this cabinet */
  async treat(cabinet: string, action: string, feeder?: number): Promise<void> {
    await this.#post(`cabinets/${cabinet}`, { action, ...(feeder !== undefined && { feeder }) });
  }

  /** @throws unless one of the simulators has this device */
  async treatDevice(device: string, action: string, fields: HandFields = {}): Promise<void> {
    await this.#post(`devices/${device}`, { action, ...fields });
  }

  async #post(place: string, what: object): Promise<void> {
    const body = JSON.stringify(what);
    const headers = { "content-type": "application/json" };
    for (const control of this.#controls) {
      const response = await fetch(`${control}/${place}`, { method: "POST", headers, body });
      if (response.ok) return;
      if (response.status !== 404)
        throw new Error(`${body} at ${place}: the simulators answered ${await response.text()}`);
    }
    throw new RangeError(`no simulator has ${place}`);
  }
}
