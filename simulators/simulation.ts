import { CABINET_UNITS } from "./city/cabinet-config.ts";
import { LampAgeing } from "./city/lamp-ageing.ts";
import { LuminaireControls } from "./city/luminaire-controls.ts";
import { newStreetCabinet } from "./city/street-cabinet.ts";
import { machineClock, type SimulatorClock } from "./clock.ts";
import { type ControlServer, openControlServer } from "./control/control-server.ts";
import { DaliBridge } from "./dali/dali-bridge.ts";
import type { GearPlace } from "./dali/gear-state.ts";
import type { Endpoint } from "./endpoint.ts";
import { Journal } from "./journal.ts";
import { openModbusTcpServer } from "./modbus/modbus-tcp-server.ts";
import { seededChance, seedOfName, seedOfPart } from "./seeded-chance.ts";
import type { SimulatedDevice } from "./simulated-device.ts";
import type { RunningBridge, RunningCabinet, RunningDevice, SimulatedWorld } from "./simulated-world.ts";
import type { BridgeConfig, DeviceConfig, SimulationConfig } from "./simulation-config.ts";
import { REAL_SKY, Sky } from "./sky/sky.ts";

/** Binds everything, or nothing. @throws {CannotBind} with the setting that names the address. */
export async function startSimulation(
  config: SimulationConfig,
  clock: SimulatorClock = machineClock,
): Promise<Simulation> {
  await using starting = new AsyncDisposableStack();
  const journal = starting.use(
    new Journal({ clock, file: config.journalFile, capacity: config.journalCapacity }).open(),
  );
  const sky = new Sky(config.sky ?? REAL_SKY, clock);
  const stage = { starting, journal, clock, sky, seed: config.seed };
  const standalone = await openBridges(config.bridges, stage);
  const cabinets = await openCabinets(config.cabinets, stage);
  const inCabinets = cabinets.map(({ id, units, bridge, server }) => ({
    id,
    unit: units.bridge,
    bridge,
    server,
  }));
  const devices = await openDevices(config.devices, stage);
  const world = { bridges: [...standalone, ...inCabinets], cabinets, devices, journal, clock };
  if (config.ageing !== undefined) {
    const chance = seededChance(seedOfPart(config.seed, AGEING_PART));
    const bridges = world.bridges.map(({ bridge }) => bridge);
    starting.use(new LampAgeing(config.ageing, { bridges, chance, clock }).start());
  }
  if (config.sky !== undefined) {
    const lights = cabinets.map(({ bridge }) => bridge);
    starting.use(new LuminaireControls(lights, { seed: config.seed, sky, clock }).start());
  }
  const { control: listen } = config;
  const control =
    listen === undefined
      ? undefined
      : starting.use(await bound("/control", listen, () => openControlServer(listen, world)));
  return new Simulation(world, control, starting.move());
}

interface Stage {
  readonly starting: AsyncDisposableStack;
  readonly journal: Journal;
  readonly clock: SimulatorClock;
  readonly sky: Sky;
  readonly seed: number;
}

/** Beyond the index of any bridge. */
const AGEING_PART = 1_000_000;

async function openBridges(configs: readonly BridgeConfig[], stage: Stage): Promise<RunningBridge[]> {
  const { starting, journal, clock, seed } = stage;
  const bridges: RunningBridge[] = [];
  for (const [index, config] of configs.entries()) {
    const bridge = newBridge(config, { journal, clock, seed: seedOfPart(seed, index) });
    const { unit, listen } = config;
    const units = new Map([[unit, bridge]]);
    const server = await bound(`/bridges/${index}/listen`, listen, () =>
      openModbusTcpServer({ ...listen, units, clock }),
    );
    bridges.push({ id: bridge.id, unit, bridge, server: starting.use(server) });
  }
  return bridges;
}

async function openCabinets(
  configs: SimulationConfig["cabinets"],
  { starting, ...world }: Stage,
): Promise<RunningCabinet[]> {
  const cabinets: RunningCabinet[] = [];
  for (const [index, { listen, ...config }] of configs.entries()) {
    const { bridge, controller, units } = starting.use(newStreetCabinet(config, world));
    const server = await bound(`/cabinets/${index}/listen`, listen, () =>
      openModbusTcpServer({ ...listen, units, clock: world.clock }),
    );
    const { id } = config;
    cabinets.push({ id, units: CABINET_UNITS, bridge, controller, server: starting.use(server) });
  }
  return cabinets;
}

async function openDevices(
  configs: readonly DeviceConfig[],
  { starting, journal, clock, seed }: Stage,
): Promise<RunningDevice[]> {
  const devices: RunningDevice[] = [];
  for (const [index, { id, kind, open }] of configs.entries()) {
    const around = { id, journal, clock, seed: seedOfName(seed, id) };
    const device = await open(around).catch((cause: unknown) => {
      const message = `open /devices/${index}, the ${kind} ${id}: change where it listens, or use port 0`;
      throw new CannotBind(message, { cause });
    });
    devices.push({ id, kind, device: starting.use(device) });
  }
  return devices;
}

export class Simulation implements AsyncDisposable {
  /** Those in cabinets too. */
  readonly bridges: readonly RunningBridge[];
  readonly cabinets: readonly RunningCabinet[];
  readonly devices: readonly RunningDevice[];
  readonly journal: Journal;
  /** Where the HTTP control API listens; undefined when none was asked for. */
  readonly control: Endpoint | undefined;
  readonly #resources: AsyncDisposableStack;

  constructor(world: SimulatedWorld, control: ControlServer | undefined, resources: AsyncDisposableStack) {
    this.bridges = world.bridges;
    this.cabinets = world.cabinets;
    this.devices = world.devices;
    this.journal = world.journal;
    this.control = control?.address;
    this.#resources = resources;
  }

  /** @throws {RangeError} when there is none of that id. */
  getBridge(id: string): RunningBridge {
    const found = this.bridges.find((bridge) => bridge.id === id);
    if (found === undefined) throw new RangeError(`no bridge ${JSON.stringify(id)} in this simulation`);
    return found;
  }

  /** @throws {RangeError} when there is none of that id. */
  getDevice(id: string): SimulatedDevice {
    const found = this.devices.find((device) => device.id === id);
    if (found === undefined) throw new RangeError(`no device ${JSON.stringify(id)} in this simulation`);
    return found.device;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

/** An address that could not be bound, with the setting to change. */
export class CannotBind extends Error {
  override readonly name = "CannotBind";
}

function newBridge(
  config: BridgeConfig,
  world: { readonly journal: Journal; readonly clock: SimulatorClock; readonly seed: number },
): DaliBridge {
  const { id, channels, fade, refreshMs, holes } = config;
  return new DaliBridge({ id, channels, fade, refreshMs, holes, gears: placesOf(config), ...world });
}

function placesOf(config: BridgeConfig): GearPlace[] {
  return Array.from({ length: config.channels }, (_, channel) =>
    Array.from({ length: config.lamps }, (_, shortAddress) => {
      const groups = config.groups.reduce(
        (bits, group) => (group.lamps.includes(shortAddress) ? bits | (1 << group.group) : bits),
        0,
      );
      return { channel, shortAddress, groups };
    }),
  ).flat();
}

async function bound<Opened>(setting: string, at: Endpoint, open: () => Promise<Opened>): Promise<Opened> {
  try {
    return await open();
  } catch (cause) {
    const message = `bind ${at.host}:${at.port}: change ${setting}, or use port 0 to let the system choose`;
    throw new CannotBind(message, { cause });
  }
}
