import type { AlarmView } from "../api/answers.ts";

const RANK = { high: 0, medium: 1, low: 2 } as const;

/** Which of the alarms are shown. */
export type AlarmFilter = "unseen" | "active" | "shelved" | "all";

/** Nobody has acknowledged it, and nobody has shelved it. */
export function isUnseen({ acknowledged, shelved }: AlarmView): boolean {
  return acknowledged === null && shelved === null;
}

export function passes(alarm: AlarmView, filter: AlarmFilter): boolean {
  if (filter === "unseen") return isUnseen(alarm);
  if (filter === "active") return alarm.clearedAtMs === null && alarm.shelved === null;
  return filter === "all" || alarm.shelved !== null;
}

/** What needs a person soonest comes first: unseen before seen, then by severity, then the newest. */
export function inOrder(alarms: readonly AlarmView[]): readonly AlarmView[] {
  return alarms.toSorted(
    (left, right) =>
      Number(isUnseen(right)) - Number(isUnseen(left)) ||
      RANK[left.severity] - RANK[right.severity] ||
      right.lastAtMs - left.lastAtMs,
  );
}
