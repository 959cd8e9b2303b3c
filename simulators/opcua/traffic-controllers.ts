import { DeviceJournal } from "../device-journal.ts";
import type { Endpoint } from "../endpoint.ts";
import { memberHand } from "../member-hand.ts";
import type { DeviceAction, DeviceSurroundings, SimulatedDevice } from "../simulated-device.ts";
import { HANDS, type Hand } from "./cabinet-hands.ts";
import { addCabinets, CABINET_NAMESPACE, type CabinetNodes } from "./cabinet-nodes.ts";
import { groupStatus, positionOf } from "./cabinet-state.ts";
import { type NamespaceOrder, type OpcUaServer, openOpcUaServer } from "./opcua-server.ts";
import { TrafficCabinet } from "./traffic-cabinet.ts";

export interface TrafficControllersConfig {
  readonly listen: Endpoint;
  /** Ids of the cabinets on the one server; slugs. */
  readonly cabinets: readonly string[];
  readonly pkiFolder: string | undefined;
  readonly security: "any" | "secured";
  readonly clients: "any" | "trusted";
  readonly user: { readonly name: string; readonly password: string } | undefined;
}

/** A vendor's other namespace on the same server: with it, indexes can change places. */
const OTHER_NAMESPACE = "urn:nerve:neutral:maintenance:1";
const TICK_MS = 1_000;

/** Opens a server with its cabinets and lets them run. */
export async function openTrafficControllers(
  config: TrafficControllersConfig,
  around: DeviceSurroundings,
): Promise<SimulatedDevice> {
  const { clock, journal } = around;
  const cabinets = config.cabinets.map(
    (id) => new TrafficCabinet(id, { clock, journal: new DeviceJournal(id, journal) }),
  );
  let nodes: readonly CabinetNodes[] = [];
  const server = await openOpcUaServer({
    ...config,
    populate: (space, order) => {
      const uris =
        order === "usual" ? [CABINET_NAMESPACE, OTHER_NAMESPACE] : [OTHER_NAMESPACE, CABINET_NAMESPACE];
      for (const uri of uris) space.registerNamespace(uri);
      nodes = addCabinets(space, space.getNamespace(CABINET_NAMESPACE), cabinets);
    },
  });
  const show = (): void => {
    for (const each of nodes) each.refresh();
  };
  const stop = everySecond(around, () => {
    for (const cabinet of cabinets) cabinet.step();
    show();
  });
  const { address, url, fingerprint } = server;
  return {
    reach: { ...address, url, fingerprint, namespace: CABINET_NAMESPACE, cabinets: config.cabinets },
    actions: [
      ...Object.values(HANDS).map((hand) => handAction(hand, cabinets, show)),
      restartAction(server, around),
    ],
    view: () => ({ sessions: server.sessions, cabinets: cabinets.map(viewOf) }),
    [Symbol.asyncDispose]: async () => {
      stop();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** What each cabinet is, from its own truth. */
export function viewOf(cabinet: TrafficCabinet) {
  const { state, id } = cabinet;
  const { position, source } = positionOf(state);
  const { controlMode, policeKey, forcedPlan, offsetSec, doorOpen, mainsPresent, batteryMin } = state;
  return {
    id,
    controlMode,
    position,
    source,
    policeKey,
    forcedPlan: forcedPlan ?? 0,
    plan: state.program.plan,
    nextPlan: state.program.nextPlan ?? 0,
    cycleSec: state.program.cycleSec,
    counter: state.program.counter,
    stage: state.program.stage,
    groups: groupStatus(state),
    offsetSec,
    routes: state.routes.map((route) => route.id),
    alarms: [...state.alarms],
    doorOpen,
    mainsPresent,
    batteryMin,
    shortestGreenSec: state.program.shortestGreenSec,
  };
}

function handAction(hand: Hand, cabinets: readonly TrafficCabinet[], show: () => void): DeviceAction {
  return memberHand(hand, { word: "cabinet", members: cabinets }, (cabinet, fields) => {
    const act = hand.prepare(fields, cabinet.state);
    return () => {
      cabinet.change({ by: "control", action: hand.name }, act);
      show();
    };
  });
}

function restartAction(server: OpcUaServer, { clock }: DeviceSurroundings): DeviceAction {
  return {
    name: "restart-server",
    about: "cuts every connection and starts again; the cabinets run on",
    takes: {
      downMs: "how long it is away, 0..600000",
      namespaces: "usual or reversed: the order of their indexes",
    },
    prepare: (fields) => {
      const downMs = fields.optionalWholeNumber("downMs", { min: 0, max: 600_000 }) ?? 0;
      const order: NamespaceOrder = fields.has("namespaces")
        ? fields.oneOf("namespaces", ["usual", "reversed"])
        : "usual";
      return async () => {
        await server.stop();
        if (downMs > 0) await new Promise<void>((resolve) => clock.after(downMs, resolve));
        await server.start(order);
      };
    },
  };
}

function everySecond({ clock }: DeviceSurroundings, tick: () => void): () => void {
  let cancel = (): void => {};
  const wait = (): void => {
    cancel = clock.after(TICK_MS, () => {
      tick();
      wait();
    });
  };
  wait();
  return () => cancel();
}
