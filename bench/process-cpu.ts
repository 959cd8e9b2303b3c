import { readdir, readFile } from "node:fs/promises";

/** Linux accounts CPU time to processes in hundredths of a second. */
const TICKS_PER_SECOND = 100;

/** CPU seconds of the process and of all that descend from it and still live. */
export async function treeCpuSeconds(root: number): Promise<number> {
  const stats = await Promise.all((await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(statOf));
  const byParent = Map.groupBy(
    stats.filter((stat) => stat !== null),
    (stat) => stat.parent,
  );
  const own = stats.find((stat) => stat?.pid === root);
  let ticks = own?.ticks ?? 0;
  const visit = (pid: number): void => {
    for (const child of byParent.get(pid) ?? []) {
      ticks += child.ticks;
      visit(child.pid);
    }
  };
  visit(root);
  return ticks / TICKS_PER_SECOND;
}

async function statOf(
  name: string,
): Promise<{ readonly pid: number; readonly parent: number; readonly ticks: number } | null> {
  const text = await readFile(`/proc/${name}/stat`, "utf8").catch(() => null);
  if (text === null) return null;
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { pid: Number(name), parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
}
