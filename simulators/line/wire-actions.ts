import type { DeviceAction } from "../simulated-device.ts";
import { parseWireFaults, SOUND_WIRE, type WireFaults } from "./wire-faults.ts";

/** What is wrong with a wire and its adapter, and that it is mended. */
export function wireActions(wire: { faults: WireFaults }): readonly DeviceAction[] {
  return [
    {
      name: "set-wire",
      about: "what is wrong with the wire and the adapter from now on; what is not named stays",
      takes: {
        echo: "true or false: the adapter hands back what it sends",
        bitErrorsPerMillion: "0..100000",
        noiseBytes: "0..200, before each answer",
        latencyMs: "0..255: the adapter holds received bytes back",
      },
      prepare: (fields) => {
        const faults = parseWireFaults(fields, wire.faults);
        return () => {
          wire.faults = faults;
        };
      },
    },
    {
      name: "mend-wire",
      about: "nothing is wrong with it any more",
      prepare: () => () => {
        wire.faults = SOUND_WIRE;
      },
    },
  ];
}
