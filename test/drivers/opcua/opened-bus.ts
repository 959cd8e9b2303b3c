import pino from "pino";
import type { PointDefinition } from "../../../domain/point.ts";
import type { PointValue } from "../../../domain/reading.ts";
import { systemClock } from "../../../domain/system-clock.ts";
import { Millis, Seconds } from "../../../domain/time.ts";
import { type Bus, NO_HOLES, type Sample, type SampleSink } from "../../../drivers/driver.ts";
import type { OpcUaAddress } from "../../../drivers/opcua/opcua-address.ts";
import { opcuaDriver } from "../../../drivers/opcua/opcua-driver.ts";
import { TEST_NAMESPACE } from "./test-nodes.ts";

export const never = new AbortController().signal;

/** A point of the test server; `address` adds to the node. */
export function point(
  name: string,
  node: string,
  { address, ...more }: Partial<Omit<PointDefinition, "address">> & { readonly address?: object } = {},
): PointDefinition<OpcUaAddress> {
  const definition = { type: "number", access: "read", ...more } as const;
  return {
    name,
    unit: "1",
    deadband: 0,
    pollClass: "safety-status",
    maxAge: Seconds(2),
    source: "test/drivers/opcua/test-nodes.ts, revision 1",
    ...definition,
    address: opcuaDriver.parseAddress({ namespace: TEST_NAMESPACE, node, ...address }, definition),
  };
}

/** Opens a bus as a field host does. */
export async function openBus(
  config: object,
  {
    folder,
    frames = () => {},
    requestTimeout = Millis(1_000),
  }: {
    readonly folder: string;
    readonly frames?: (direction: string, bytes: Uint8Array) => void;
    readonly requestTimeout?: Millis;
  },
): Promise<Bus<OpcUaAddress>> {
  const parsed = opcuaDriver.parseBusConfig(config, { site: folder, data: folder });
  return await opcuaDriver.openBus(
    parsed,
    { clock: systemClock, logger: pino({ enabled: false }), requestTimeout, frames },
    never,
  );
}

export async function read(
  bus: Bus<OpcUaAddress>,
  points: readonly PointDefinition<OpcUaAddress>[],
  unit = "one",
): Promise<readonly Sample[]> {
  const session = bus.openSession(unit, []);
  const samples: Sample[] = [];
  for (const exchange of session.plan(points, NO_HOLES))
    samples.push(...(await session.exchange(exchange, never)));
  return samples;
}

export function shown(sample: Sample | undefined): PointValue | string {
  if (sample === undefined) return "nothing";
  if ("value" in sample) return sample.value;
  if ("bad" in sample) return sample.bad;
  return "fault" in sample ? sample.fault.code : `sentinel ${sample.sentinel}`;
}

/** Notes what it is told. */
export class NotingSink implements SampleSink {
  readonly told: { readonly name: string; readonly sample: Sample }[] = [];
  confirms = 0;

  tell({ name }: PointDefinition, sample: Sample): void {
    this.told.push({ name, sample });
  }

  confirm(): void {
    this.confirms += 1;
  }

  values(name: string): readonly (PointValue | string)[] {
    return this.told.filter((each) => each.name === name).map(({ sample }) => shown(sample));
  }
}
