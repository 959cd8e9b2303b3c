/** What we use of firmata-io 2.3.0, which brings no types. */
declare module "firmata-io" {
  import type { EventEmitter } from "node:events";

  export interface Firmata extends EventEmitter {
    readonly isReady: boolean;
    readonly MODES: Readonly<Record<"INPUT" | "OUTPUT" | "ANALOG" | "PWM" | "PULLUP", number>>;
    readonly pins: {
      readonly supportedModes: readonly number[];
      readonly analogChannel: number;
      readonly state?: number;
    }[];
    reportVersion(callback: () => void): void;
    queryFirmware(callback: () => void): void;
    queryCapabilities(callback: () => void): void;
    queryAnalogMapping(callback: () => void): void;
    queryPinState(pin: number, callback: () => void): void;
    reportDigitalPin(pin: number, value: 0 | 1): void;
    reportAnalogPin(channel: number, value: 0 | 1): void;
  }
  interface Library {
    readonly Firmata: new (
      transport: EventEmitter,
      options: { readonly reportVersionTimeout?: number; readonly samplingInterval?: number },
    ) => Firmata;
  }
  const library: Library;

  export { library as default };
}
