import { readdir, readFile } from "node:fs/promises";

/** Linux accounts CPU time to processes in hundredths of a second. */
const TICKS_PER_SECOND = 100;

/** The kernel counts memory in pages. */
const PAGE_MB = 4_096 / 1e6;

/** CPU seconds of the process and of all that descend from it and still live. */
export async function treeCpuSeconds(root: number): Promise<number> {
  return (await sumOfTree(root, ({ ticks }) => ticks)) / TICKS_PER_SECOND;
}

/** Resident memory of the process and of all that descend from it; pages that they share count for each. */
export async function treeMemoryMb(root: number): Promise<number> {
  return Math.round((await sumOfTree(root, ({ pages }) => pages)) * PAGE_MB);
}

interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  readonly ticks: number;
  readonly pages: number;
}

async function sumOfTree(root: number, of: (stat: ProcessStat) => number): Promise<number> {
  const stats = await Promise.all((await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(statOf));
  const living = stats.filter((stat) => stat !== null);
  const byParent = Map.groupBy(living, (stat) => stat.parent);
  const own = living.find((stat) => stat.pid === root);
  let sum = own === undefined ? 0 : of(own);
  const visit = (pid: number): void => {
    for (const child of byParent.get(pid) ?? []) {
      sum += of(child);
      visit(child.pid);
    }
  };
  visit(root);
  return sum;
}

async function statOf(name: string): Promise<ProcessStat | null> {
  const text = await readFile(`/proc/${name}/stat`, "utf8").catch(() => null);
  if (text === null) return null;
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  return { pid: Number(name), parent: Number(fields[1]), ticks, pages: Number(fields[21]) };
}
