import type { DeviceAction } from "../simulated-device.ts";
import type { LineEnd } from "./line-end.ts";

/** What a hand does to the adapter of a line. */
export function plugActions(end: LineEnd): readonly DeviceAction[] {
  return [
    {
      name: "unplug",
      about: "the adapter is pulled: the client loses its line",
      prepare: () => () => end.unplug(),
    },
    {
      name: "plug",
      about: "it is plugged in again, under the same name",
      prepare: () => () => end.plug(),
    },
  ];
}
