import type { Test } from "tap";
import { openStreetScenario, type StreetScenario } from "./street-scenario.ts";

export const GATEWAY = "gw-cabinet";

/** One simulated street cabinet, its gateway and a center. */
export interface CabinetScenario extends Pick<StreetScenario, "center" | "gateway" | "ask"> {
  /** A hand in the cabinet. */
  treat(action: string, feeder?: number): Promise<void>;
  /** Disturbs the line; undone by `clearFaults`. */
  disturb(fault: object): Promise<void>;
  clearFaults(): Promise<void>;
  /** Every change of demands and contacts since the start, as the device itself has it: `contactor-1: 0 → 1`. */
  effects(): Promise<readonly string[]>;
}

export async function openCabinetScenario(t: Test): Promise<CabinetScenario> {
  const feeders = [[0], [1], [2], [3], [4], [5], [6], [7]];
  const street = await openStreetScenario(t, {
    gatewayId: GATEWAY,
    simulated: { cabinets: [{ id: "cabinet-1", feeders, minOnOffSec: 0 }] },
    site: (reach) => siteOf(reach["cabinet-1"]?.port ?? 0),
  });
  const { control } = street;
  return {
    ...street,
    treat: async (action, feeder) => {
      await control("POST", "/cabinets/cabinet-1", { action, ...(feeder !== undefined && { feeder }) });
    },
    disturb: async (fault) => {
      await control("POST", "/faults", { bridge: "cabinet-1", ...fault });
    },
    clearFaults: async () => {
      await control("DELETE", "/faults");
    },
    effects: () => street.effects("cabinet-1"),
  };
}

function siteOf(port: number) {
  return {
    buses: [
      {
        id: "cabinet-bus",
        driver: "modbus",
        transport: "tcp",
        host: "127.0.0.1",
        port,
        requestTimeout: "3 s",
        pollIntervals: { normal: "1 s", meter: "5 s" },
      },
    ],
    devices: [
      { id: "cabinet-1", name: "Cabinet 1", profile: "neutral-segment-cabinet", bus: "cabinet-bus", unit: 2 },
    ],
  };
}
