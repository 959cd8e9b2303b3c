import { realpathSync, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import type { ServerAccount } from "./server-account.ts";

const READ = 4;
const ENTER = 1;

/**
 * Whether `account` may enter every folder above `path` and read it. Judged by owner, group and mode:
 * a child gets no supplementary groups, and an access list that grants more only costs a needless copy.
 */
export function isReachable(path: string, account: ServerAccount): boolean {
  if (!account.isOther) return true;
  let real: string;
  try {
    real = realpathSync(path);
  } catch {
    return false;
  }
  const stats = statSync(real);
  if (!may(stats, account, stats.isDirectory() ? READ | ENTER : READ)) return false;
  for (let folder = dirname(real); ; folder = dirname(folder)) {
    if (!may(statSync(folder), account, ENTER)) return false;
    if (folder === dirname(folder)) return true;
  }
}

function may(stats: Stats, account: ServerAccount, wanted: number): boolean {
  // path_resolution(7): the first class that applies decides, even if a later one would grant more.
  const shift = stats.uid === account.uid ? 6 : stats.gid === account.gid ? 3 : 0;
  return ((stats.mode >> shift) & wanted) === wanted;
}
