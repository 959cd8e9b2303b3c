import {
  ILLEGAL_DATA_ADDRESS,
  ModbusException,
  type ReadAnswer,
  type RegisterBank,
  type WriteRequest,
} from "../modbus/register-bank.ts";

export type Quantity =
  | "temperatureC"
  | "dewPointC"
  | "windChillC"
  | "humidityPercent"
  | "pressureHpa"
  | "windDirectionDeg"
  | "windSpeedMs"
  | "windGustMs"
  | "precipitationMm"
  | "precipitationMmH"
  | "precipitationType";
export type Weather = Readonly<Record<Quantity, number>>;

interface QuantityRow {
  readonly name: Quantity;
  readonly min: number;
  readonly max: number;
  readonly unit: string;
  /** Input register, from 0. */
  readonly register: number;
  /** Registers that show the same here: minimum, maximum and mean of air that holds still. */
  readonly alike: readonly number[];
  readonly factor: 1 | 10 | 100;
  /** Signed values end at 32762, unsigned at 65530; what lies above says that there is none. */
  readonly signed: boolean;
}

/** WS600-UMB, by register address. */
export const QUANTITIES: readonly QuantityRow[] = [
  row("humidityPercent", [0, 100, "%"], { register: 10, alike: [11, 12, 13], factor: 10, signed: true }),
  row("pressureHpa", [300, 1_200, "hPa"], { register: 14, alike: [15, 16, 17], factor: 10, signed: true }),
  row("windDirectionDeg", [0, 359.9, "deg"], { register: 18, alike: [19, 20], factor: 10, signed: true }),
  row("precipitationType", [0, 70, "(0, 60 rain, 70 snow)"], {
    register: 25,
    alike: [],
    factor: 1,
    signed: true,
  }),
  row("temperatureC", [-50, 60, "Cel"], { register: 31, alike: [32, 33, 34], factor: 10, signed: true }),
  row("dewPointC", [-50, 60, "Cel"], { register: 35, alike: [36, 37, 38], factor: 10, signed: true }),
  row("windChillC", [-60, 70, "Cel"], { register: 39, alike: [], factor: 10, signed: true }),
  row("windSpeedMs", [0, 75, "m/s"], { register: 42, alike: [43, 45, 46, 47], factor: 10, signed: true }),
  row("windGustMs", [0, 75, "m/s"], { register: 44, alike: [], factor: 10, signed: true }),
  row("precipitationMm", [0, 655.3, "mm"], { register: 48, alike: [49], factor: 100, signed: false }),
  row("precipitationMmH", [0, 200, "mm/h"], { register: 50, alike: [], factor: 100, signed: false }),
];

/** A dry winter morning. */
export const CALM: Weather = {
  temperatureC: -3.5,
  dewPointC: -5.2,
  windChillC: -7.1,
  humidityPercent: 88,
  pressureHpa: 1_013.2,
  windDirectionDeg: 225,
  windSpeedMs: 2.4,
  windGustMs: 4.1,
  precipitationMm: 12.34,
  precipitationMmH: 0,
  precipitationType: 0,
};

const WS600 = 6;
const SOFTWARE = 32;
const REGISTERS = 125;
const NO_SIGNED = 32_767;
const NO_UNSIGNED = 65_535;
/** Four bits of status a sensor: 0 is good, 7 a sensor fault. */
const SENSOR_FAULT = 7;

export interface StationState {
  readonly identity: "type-high" | "type-low";
  readonly weather: () => Weather;
  readonly failed: ReadonlySet<Quantity>;
}

/** Function 4, input registers 0 to 124, one value each. All exist; those without a value here say so. */
export class WsRegisters implements RegisterBank {
  readonly #state: StationState;
  readonly writeNotExecuted: (request: WriteRequest, reason: string) => void;

  constructor(state: StationState, refused: (request: WriteRequest, reason: string) => void) {
    this.#state = state;
    this.writeNotExecuted = refused;
  }

  readInput(address: number, count: number): ReadAnswer {
    if (address + count > REGISTERS) return new ModbusException(ILLEGAL_DATA_ADDRESS);
    return this.#all().slice(address, address + count);
  }

  #all(): Uint16Array {
    const { identity, weather, failed } = this.#state;
    const registers = new Uint16Array(REGISTERS).fill(NO_UNSIGNED);
    registers.fill(NO_SIGNED, 10, 48);
    registers.fill(0, 0, 10);
    registers[0] = identity === "type-high" ? (WS600 << 8) | SOFTWARE : (SOFTWARE << 8) | WS600;
    // Sensor and its buffer, from the top: temperature, then dew point.
    registers[2] = failed.has("temperatureC") ? (SENSOR_FAULT << 12) | (SENSOR_FAULT << 8) : 0;
    const now = weather();
    for (const { name, register, alike, factor, signed } of QUANTITIES) {
      const none = signed ? NO_SIGNED : NO_UNSIGNED;
      const value = failed.has(name) ? none : Math.round(now[name] * factor);
      for (const place of [register, ...alike]) registers[place] = value;
    }
    return registers;
  }
}

function row(
  name: Quantity,
  [min, max, unit]: readonly [number, number, string],
  rest: Pick<QuantityRow, "register" | "alike" | "factor" | "signed">,
): QuantityRow {
  return { name, min, max, unit, ...rest };
}
