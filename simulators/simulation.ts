import { machineClock, type SimulatorClock } from "./clock.ts";
import { type ControlServer, openControlServer } from "./control/control-server.ts";
import { DaliBridge } from "./dali/dali-bridge.ts";
import type { GearPlace } from "./dali/gear-state.ts";
import { Journal } from "./journal.ts";
import { openModbusTcpServer } from "./modbus/modbus-tcp-server.ts";
import { seedOfPart } from "./seeded-chance.ts";
import type { RunningBridge, SimulatedWorld } from "./simulated-world.ts";
import type { BridgeConfig, Endpoint, SimulationConfig } from "./simulation-config.ts";

/** Binds everything, or nothing. @throws {CannotBind} with the setting that names the address. */
export async function startSimulation(
  config: SimulationConfig,
  clock: SimulatorClock = machineClock,
): Promise<Simulation> {
  await using starting = new AsyncDisposableStack();
  const journal = starting.use(
    new Journal({ clock, file: config.journalFile, capacity: config.journalCapacity }).open(),
  );
  const bridges: RunningBridge[] = [];
  for (const [index, bridgeConfig] of config.bridges.entries()) {
    const bridge = newBridge(bridgeConfig, { journal, clock, seed: seedOfPart(config.seed, index) });
    const { unit, listen } = bridgeConfig;
    const units = new Map([[unit, bridge]]);
    const server = await bound(`/bridges/${index}/listen`, listen, () =>
      openModbusTcpServer({ ...listen, units, clock }),
    );
    bridges.push({ id: bridge.id, unit, bridge, server: starting.use(server) });
  }
  const world = { bridges, journal, clock };
  const { control: listen } = config;
  const control =
    listen === undefined
      ? undefined
      : starting.use(await bound("/control", listen, () => openControlServer(listen, world)));
  return new Simulation(world, control, starting.move());
}

export class Simulation implements AsyncDisposable {
  readonly bridges: readonly RunningBridge[];
  readonly journal: Journal;
  /** Where the HTTP control API listens; undefined when none was asked for. */
  readonly control: Endpoint | undefined;
  readonly #resources: AsyncDisposableStack;

  constructor(world: SimulatedWorld, control: ControlServer | undefined, resources: AsyncDisposableStack) {
    this.bridges = world.bridges;
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
