import { DeviceJournal } from "../device-journal.ts";
import type { Fields } from "../input-fields.ts";
import type { ModbusUnit, ModbusUnitKind } from "../modbus/modbus-unit-kind.ts";
import type { RegisterBank } from "../modbus/register-bank.ts";
import type { DeviceAction, DeviceSurroundings } from "../simulated-device.ts";
import { CALM, QUANTITIES, type Quantity, type Weather, WsRegisters } from "./ws-registers.ts";

/** A Lufft WS600-UMB weather station, with the weather that the control API makes. */
export const lufftWsKind: ModbusUnitKind = {
  about: `Lufft WS600-UMB weather station: "identity": "type-high" (newer manuals) or ["type-low"]`,
  parse: (fields) => {
    const identity = fields.has("identity")
      ? fields.oneOf("identity", ["type-high", "type-low"])
      : "type-low";
    return (around) => new WeatherStation(around, identity);
  },
};

class WeatherStation implements ModbusUnit {
  readonly actions: readonly DeviceAction[];
  readonly bank: RegisterBank;
  readonly #log: DeviceJournal;
  readonly #failed = new Set<Quantity>();
  #weather: Weather = CALM;

  constructor({ id, journal }: DeviceSurroundings, identity: "type-high" | "type-low") {
    this.#log = new DeviceJournal(id, journal);
    this.actions = [
      {
        name: "set-weather",
        about: "what it is like from now on; what is not named stays",
        takes: Object.fromEntries(
          QUANTITIES.map(({ name, min, max, unit }) => [name, `${min}..${max} ${unit}`]),
        ),
        prepare: (fields) => {
          const wanted = readWeather(fields);
          return () => this.#set(wanted);
        },
      },
      this.#sensorAction("fail-sensor", "one quantity reads as not available"),
      this.#sensorAction("restore-sensor", "it reads again"),
    ];
    const state = { identity, weather: () => this.#weather, failed: this.#failed };
    this.bank = new WsRegisters(state, (request, reason) => this.#log.refused(request, reason));
  }

  view(): { readonly weather: Weather; readonly failed: readonly Quantity[] } {
    return { weather: this.#weather, failed: [...this.#failed] };
  }

  [Symbol.dispose](): void {
    // Memory only.
  }

  #set(wanted: Partial<Weather>): void {
    const before = this.#weather;
    this.#weather = { ...before, ...wanted };
    const changes = QUANTITIES.map(({ name }) => ({
      what: name,
      from: before[name],
      to: this.#weather[name],
    }));
    this.#log.effect({ by: "control", action: "set-weather" }, changes);
  }

  #sensorAction(name: "fail-sensor" | "restore-sensor", about: string): DeviceAction {
    const names = QUANTITIES.map((quantity) => quantity.name);
    return {
      name,
      about,
      takes: { quantity: names.join(", ") },
      prepare: (fields) => {
        const quantity = fields.oneOf("quantity", names);
        return () => this.#turnSensor(quantity, name);
      },
    };
  }

  #turnSensor(quantity: Quantity, action: "fail-sensor" | "restore-sensor"): void {
    const from = Number(this.#failed.has(quantity));
    if (action === "fail-sensor") this.#failed.add(quantity);
    else this.#failed.delete(quantity);
    const to = Number(this.#failed.has(quantity));
    this.#log.effect({ by: "control", action }, [{ what: `${quantity}-failed`, from, to }]);
  }
}

function readWeather(fields: Fields): Partial<Weather> {
  const given = QUANTITIES.filter(({ name }) => fields.has(name)).map(
    ({ name, min, max }) => [name, fields.number(name, { min, max })] as const,
  );
  return Object.fromEntries(given);
}
