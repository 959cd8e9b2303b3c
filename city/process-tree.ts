import { readdir, readFile } from "node:fs/promises";

/** Linux accounts CPU time to processes in hundredths of a second. */
const TICKS_PER_SECOND = 100;

/** One process of a tree. Linux only. */
export interface TreeProcess {
  readonly pid: number;
  /** As the kernel knows it, at most 15 letters. */
  readonly command: string;
  /** Used since its start, s. */
  readonly cpuSeconds: number;
}

/** The process and all that descend from it and still live. */
export async function processTree(root: number): Promise<readonly TreeProcess[]> {
  const names = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const stats = (await Promise.all(names.map(statOf))).filter((stat) => stat !== null);
  const byParent = Map.groupBy(stats, (stat) => stat.parent);
  const tree = stats.filter((stat) => stat.pid === root);
  for (const process of tree) tree.push(...(byParent.get(process.pid) ?? []));
  return tree;
}

/** Proportional set size (shared pages are counted once over all processes), bytes; 0 for one that ended. */
export async function processMemoryBytes(pid: number): Promise<number> {
  try {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
    return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1_024;
  } catch {
    return 0;
  }
}

async function statOf(name: string): Promise<(TreeProcess & { readonly parent: number }) | null> {
  const text = await readFile(`/proc/${name}/stat`, "utf8").catch(() => null);
  if (text === null) return null;
  const command = text.slice(text.indexOf("(") + 1, text.lastIndexOf(")"));
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  return { pid: Number(name), command, parent: Number(fields[1]), cpuSeconds };
}
