import type { Logger } from "pino";
import type { BusId } from "../../domain/ids.ts";
import type { LoopService } from "../../domain/service.ts";
import type { Clock } from "../../domain/time.ts";
import type { LoadDriver } from "./field-host.ts";
import type { Field, FieldFrames, FieldPlan, FieldReportSink } from "./field-plan.ts";
import { FieldRouter } from "./host/field-router.ts";
import { HostSupervisor } from "./host/host-supervisor.ts";
import { InProcessField } from "./host/in-process-field.ts";
import { loadRegisteredDriver } from "./host/load-registered-driver.ts";

export interface BuildFieldParts {
  /** What `planField` made of the site. */
  readonly plans: readonly FieldPlan[];
  /** `processes`: one child a group, isolated; `in-process`: all in this one. */
  readonly hosting: "processes" | "in-process";
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sink: FieldReportSink;
  /** In-process only; default: the registry. */
  readonly loadDriver?: LoadDriver;
}

/** The field of a gateway, and the loops that make it live: run each beside the gateway's own. */
export interface BuiltField {
  readonly field: Field & FieldFrames;
  readonly services: readonly LoopService[];
  /** As they stand now, for `nerve status`. */
  hosts(): readonly FieldHostState[];
}

export interface FieldHostState {
  /** Isolation group. */
  readonly group: string;
  readonly state: "running" | "down" | "in-process";
  /** `null` unless it runs as a process of its own. */
  readonly pid: number | null;
}

/** Builds a host for each plan. Nothing runs until the services do; until then operations are rejected as busy. */
export function buildField(parts: BuildFieldParts): BuiltField {
  const { clock, logger, sink, loadDriver = loadRegisteredDriver } = parts;
  const services: LoopService[] = [];
  const states: (() => FieldHostState)[] = [];
  const byBus = new Map<BusId, Field & FieldFrames>();
  for (const plan of parts.plans) {
    const shared = { plan, clock, logger, sink };
    const host =
      parts.hosting === "processes"
        ? new HostSupervisor(shared)
        : new InProcessField({ ...shared, loadDriver });
    services.push(host);
    states.push(() => stateOf(plan.group, host));
    for (const bus of plan.buses) byBus.set(bus.id, host);
  }
  return { field: new FieldRouter(byBus), services, hosts: () => states.map((state) => state()) };
}

function stateOf(group: string, host: HostSupervisor | InProcessField): FieldHostState {
  if (host instanceof InProcessField) return { group, state: "in-process", pid: null };
  return { group, state: host.pid === undefined ? "down" : "running", pid: host.pid ?? null };
}
