import type { City } from "../city.ts";
import { processMemoryBytes, processTree } from "../process-tree.ts";

/** By program: `center`, `postgres`, `gateway-dijon`, its `… field hosts`, and this one as `city`. */
export type UsageByProgram = Readonly<Record<string, number>>;

/** What each living process of the city has used since its start. */
export type CpuReading = ReadonlyMap<number, { readonly program: string; readonly cpuSeconds: number }>;

export async function readCpu(city: City): Promise<CpuReading> {
  const processes = await cityProcesses(city);
  return new Map(processes.map(({ pid, program, cpuSeconds }) => [pid, { program, cpuSeconds }]));
}

/** CPU seconds between two readings. Of a process that ended between them nothing is known. */
export function cpuBetween(before: CpuReading, after: CpuReading): UsageByProgram {
  const sums: Record<string, number> = {};
  for (const [pid, { program, cpuSeconds }] of after)
    sums[program] = (sums[program] ?? 0) + cpuSeconds - (before.get(pid)?.cpuSeconds ?? 0);
  return sums;
}

/** Memory of all processes of the city as proportional set size, bytes. */
export async function memoryBytesByProgram(city: City): Promise<UsageByProgram> {
  const sums: Record<string, number> = {};
  for (const { pid, program } of await cityProcesses(city))
    sums[program] = (sums[program] ?? 0) + (await processMemoryBytes(pid));
  return sums;
}

export function total(usage: UsageByProgram): number {
  return Object.values(usage).reduce((sum, one) => sum + one, 0);
}

async function cityProcesses(city: City) {
  const found: { readonly pid: number; readonly program: string; readonly cpuSeconds: number }[] = [];
  for (const { pid, name } of city.programs) {
    for (const part of await processTree(pid)) {
      const child = part.command === "postgres" ? "postgres" : `${name} field hosts`;
      found.push({ ...part, program: part.pid === pid ? name : child });
    }
  }
  const self = (await processTree(process.pid)).find(({ pid }) => pid === process.pid);
  return self === undefined ? found : [...found, { ...self, program: "city" }];
}
