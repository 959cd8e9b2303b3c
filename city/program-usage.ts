import type { City } from "./city.ts";
import { processMemoryBytes, processTree } from "./process-tree.ts";

/** By program: `center`, `postgres`, `gateway-dijon`, its `… field hosts`, and so on. */
export type UsageByProgram = Readonly<Record<string, number>>;

/** CPU used since the start by all processes of the city, this one included, s. */
export async function cpuSecondsByProgram(city: City): Promise<UsageByProgram> {
  return sumByProgram(city, async ({ cpuSeconds }) => cpuSeconds);
}

/** Memory of all processes of the city as proportional set size, bytes. */
export async function memoryBytesByProgram(city: City): Promise<UsageByProgram> {
  return sumByProgram(city, ({ pid }) => processMemoryBytes(pid));
}

export function total(usage: UsageByProgram): number {
  return Object.values(usage).reduce((sum, one) => sum + one, 0);
}

async function sumByProgram(
  city: City,
  measure: (process: { readonly pid: number; readonly cpuSeconds: number }) => Promise<number>,
): Promise<UsageByProgram> {
  const sums: Record<string, number> = {};
  const programs = city.programs.map(({ pid, name }) => ({ pid, name }));
  const own = new Set(programs.map(({ pid }) => pid));
  for (const { pid, name } of programs) {
    for (const part of await processTree(pid)) {
      const key = part.command === "postgres" ? "postgres" : part.pid === pid ? name : `${name} field hosts`;
      sums[key] = (sums[key] ?? 0) + (await measure(part));
    }
  }
  const [self] = (await processTree(process.pid)).filter(({ pid }) => pid === process.pid && !own.has(pid));
  if (self !== undefined) sums["city"] = await measure(self);
  return sums;
}
