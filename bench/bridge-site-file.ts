import type { SimulatorsReady } from "../city/ready-lines.ts";

/** Place Darcy, Dijon: the lamps stand along a street from here, 25 m apart. */
const START = { latitude: 47.3237, longitude: 5.0331 };
const STEP_DEGREES = 0.0003;

/** The gateway's site file as an installer would have written it, for the bridge that the simulators opened. */
export function siteFileOf(context: {
  readonly gatewayId: string;
  readonly lamps: number;
  readonly simulators: SimulatorsReady;
  readonly centerUrl: string;
  /** Absent: nobody may connect to the broker. */
  readonly passwordFile?: string;
}): string {
  const [bridge] = context.simulators.bridges;
  if (bridge === undefined) throw new Error("the simulators opened no bridge");
  const lamps = Array.from({ length: context.lamps }, (_, shortAddress) => ({
    id: `lamp-${String(shortAddress + 1).padStart(4, "0")}`,
    name: `Place Darcy ${shortAddress + 1}`,
    profile: "intesis-dali-lamp",
    bus: "dali-bridge-1",
    unit: bridge.unit,
    parent: "bridge-1",
    parameters: { channel: 0, shortAddress },
    position: { latitude: START.latitude, longitude: START.longitude + shortAddress * STEP_DEGREES },
  }));
  const group = {
    id: "group-place-darcy",
    name: "Place Darcy, all lamps",
    profile: "intesis-dali-group",
    bus: "dali-bridge-1",
    unit: bridge.unit,
    parent: "bridge-1",
    parameters: { channel: 0, group: 0 },
    members: lamps.map((lamp) => lamp.id),
  };
  const bridgeDevice = {
    id: "bridge-1",
    name: "DALI bridge, Place Darcy",
    profile: "intesis-dali-bridge",
    bus: "dali-bridge-1",
    unit: bridge.unit,
    parameters: { channel: 0 },
  };
  const site = {
    site: { id: "dijon-centre", name: "Dijon centre" },
    gateway: context.gatewayId,
    dataFolder: "data",
    // The city runs on one machine, so nothing is gained by spreading reconnects over minutes.
    center: { url: context.centerUrl, reconnectMin: "1 s", reconnectMax: "10 s" },
    broker: {
      host: "127.0.0.1",
      port: 0,
      ...(context.passwordFile !== undefined && { passwordFile: context.passwordFile }),
    },
    buses: [
      {
        id: "dali-bridge-1",
        driver: "modbus",
        transport: "tcp",
        host: bridge.host,
        port: bridge.port,
        requestTimeout: "500 ms",
        pollIntervals: { lamp: "2 s", normal: "2 s" },
      },
    ],
    devices: [bridgeDevice, ...lamps, group],
  };
  // JSON is YAML: what a program writes needs no other form.
  return `${JSON.stringify(site, null, 2)}\n`;
}
