import { pino } from "pino";
import type { Test } from "tap";
import type { CommandState } from "../../domain/command.ts";
import type { PointNumber } from "../../domain/ids.ts";
import { seededRandom } from "../../domain/random.ts";
import type { PointChange } from "../../domain/reading.ts";
import { systemClock } from "../../domain/system-clock.ts";
import { Millis, type Uptime } from "../../domain/time.ts";
import { CommandControl } from "../../gateway/control/command-control.ts";
import type { FieldOperationResult } from "../../gateway/control/field-operation.ts";
import type { ErrorAnswer } from "../../gateway/local-api/client/answers.ts";
import { LocalApiClient, LocalClientError } from "../../gateway/local-api/client.ts";
import { type LocalApi, openLocalApi } from "../../gateway/local-api/local-api.ts";
import type { FreshReads, LocalApiParts } from "../../gateway/local-api/local-api-parts.ts";
import { numberSite } from "../../gateway/site/number-site.ts";
import { PointIndex } from "../../gateway/site/site.ts";
import type { Store } from "../../gateway/store/store.ts";
import { SimulatedClock } from "../simulated-clock.ts";
import { lamp, load, siteText } from "./planted-site.ts";
import { openTestStore } from "./store-run.ts";

/** A local API over a real store, real admission and a real socket; the bus beneath is what a test says it is. */
export interface ApiBench {
  readonly api: LocalApi;
  readonly parts: LocalApiParts;
  readonly client: LocalApiClient;
  readonly clock: SimulatedClock;
  readonly store: Store;
  readonly dataFolder: string;
  numberOf(pointId: string): PointNumber;
  /** Told by the field and made durable. */
  accept(changes: readonly PointChange[]): Promise<void>;
  /** Answers of the bus; a test sets them. */
  readonly bus: {
    operation: () => Promise<FieldOperationResult>;
    read: FreshReads["readNow"];
  };
  readonly sweeps: Map<PointNumber, Uptime>;
}

const GROUP =
  "  - { id: all, profile: intesis-dali-group, bus: bridge, unit: 1, parameters: { group: 0 }, members: [lamp-1, lamp-2] }";

export async function openBench(t: Test, changes: Partial<LocalApiParts> = {}): Promise<ApiBench> {
  const unnumbered = await load(t, {
    site: siteText([lamp("lamp-1", 0), lamp("lamp-2", 1), GROUP].join("\n")),
  });
  const clock = new SimulatedClock();
  const store = await openTestStore({ folder: unnumbered.dataFolder });
  const site = numberSite(unnumbered, (ids) => store.telemetry.numberPoints(ids));
  const points = new PointIndex(site);
  const logger = pino({ level: "silent" });
  const sweeps = new Map<PointNumber, Uptime>();
  const bus: ApiBench["bus"] = {
    operation: async () => ({ outcome: "rejected", cause: "busy", detail: "the test has no bus" }),
    read: async () => ({ outcome: "fault", code: "timeout", detail: "unit 1 did not answer" }),
  };
  const orders = new CommandControl({
    gatewayId: site.gatewayId,
    points,
    store,
    runner: { runOperation: () => bus.operation(), readNow: (read, signal) => bus.read(read, signal) },
    freshness: null,
    commandKey: () => null,
    clock,
    logger,
  });
  const parts: LocalApiParts = {
    site,
    points,
    store,
    orders,
    field: { readNow: (read, signal) => bus.read(read, signal) },
    figures: () => [],
    fieldHosts: () => [],
    link: null,
    broker: () => null,
    confirmedAt: (number) => sweeps.get(number),
    software: "nerve 0.0.0-test",
    clock,
    random: seededRandom(1),
    logger,
    ...changes,
  };
  const api = await openLocalApi(parts);
  t.teardown(async () => {
    await api[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  });
  const { signal } = new AbortController();
  const client = new LocalApiClient({
    socketPath: api.socketPath,
    timeout: Millis(5_000),
    clock: systemClock,
    signal,
  });
  return {
    api,
    parts,
    client,
    clock,
    store,
    dataFolder: site.dataFolder,
    numberOf: (id) => numberIn(site, id),
    accept: async (accepted) => {
      store.telemetry.accept(accepted);
      await store.telemetry.flush();
    },
    bus,
    sweeps,
  };
}

function numberIn(site: LocalApiParts["site"], id: string): PointNumber {
  const point = site.devices.flatMap(({ points }) => points).find((each) => each.id === id);
  if (point === undefined) throw new Error(`the planted site has no ${id}`);
  return point.number;
}

/** An end as the field tells it when the read-back agrees. */
export function succeededAt(value: number): FieldOperationResult {
  const evidence = {
    target: value,
    acknowledged: true,
    readBacks: [],
    took: Millis(12),
    detail: `read back ${value}`,
  };
  return { outcome: "succeeded", evidence };
}

export const nameOf = ({ name }: CommandState): string => name;

/** What the gateway said when it refused. @throws what else went wrong */
export async function refusalOf(asked: Promise<unknown>): Promise<ErrorAnswer["error"] | "not refused"> {
  try {
    await asked;
    return "not refused";
  } catch (error) {
    if (error instanceof LocalClientError && error.answer !== undefined) return error.answer;
    throw error;
  }
}
