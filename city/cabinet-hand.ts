/** The hand in a street cabinet: the simulators' control interface. It never goes through a gateway. */
export class CabinetHand {
  readonly #controls: readonly string[];

  constructor(controls: readonly { readonly host: string; readonly port: number }[]) {
    this.#controls = controls.map(({ host, port }) => `http://${host}:${port}`);
  }

  /** @param feeder 1..8, for what happens to one feeder. @throws unless one of the simulators has this cabinet */
  async treat(cabinet: string, action: string, feeder?: number): Promise<void> {
    const body = JSON.stringify({ action, ...(feeder !== undefined && { feeder }) });
    const headers = { "content-type": "application/json" };
    for (const control of this.#controls) {
      const response = await fetch(`${control}/cabinets/${cabinet}`, { method: "POST", headers, body });
      if (response.ok) return;
      if (response.status !== 404)
        throw new Error(`${action} at ${cabinet}: the simulators answered ${await response.text()}`);
    }
    throw new RangeError(`no simulator has a cabinet ${cabinet}`);
  }
}
