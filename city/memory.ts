import { readdir, readFile } from "node:fs/promises";

/** Memory of a process and all its descendants: proportional set size (shared pages counted once), bytes. Linux only. */
export async function treeMemoryBytes(roots: readonly number[]): Promise<number> {
  const children = await childrenByParent();
  const tree = new Set<number>();
  const visit = (pid: number): void => {
    if (tree.has(pid)) return;
    tree.add(pid);
    for (const child of children.get(pid) ?? []) visit(child);
  };
  for (const root of roots) visit(root);
  let total = 0;
  for (const pid of tree) total += await processMemoryBytes(pid);
  return total;
}

async function processMemoryBytes(pid: number): Promise<number> {
  try {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
    return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1_024;
  } catch {
    // It ended, or runs as another user and may not be read.
    return 0;
  }
}

async function childrenByParent(): Promise<ReadonlyMap<number, readonly number[]>> {
  const children = new Map<number, number[]>();
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
    const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? 0);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  return children;
}
