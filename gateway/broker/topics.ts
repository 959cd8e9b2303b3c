import { isSlug, type PointId, type SiteId, splitPointId } from "../../domain/ids.ts";

/**
 * `sc/v1/<site>/<device>/<kind>/<point>`: always six levels. `reported` is retained state, `command` an order,
 * `verdict` what became of it; only `reported` is ever seen as retained.
 */
export type TopicKind = "reported" | "command" | "verdict";

const ROOT = ["sc", "v1"] as const;
const KIND_LEVEL = 4;
const LEVELS = 6;

export function topicOf(siteId: SiteId, kind: TopicKind, pointId: PointId): string {
  const { device, point } = splitPointId(pointId);
  return `sc/v1/${siteId}/${device}/${kind}/${point}`;
}

/** The point an order's topic names, or `undefined` if the topic is no command topic of this site. */
export function findCommandPoint(topic: string, siteId: SiteId): PointId | undefined {
  const levels = topic.split("/");
  const [sc, v1, site, device, kind, point] = levels;
  if (levels.length !== LEVELS || sc !== ROOT[0] || v1 !== ROOT[1] || site !== siteId || kind !== "command")
    return undefined;
  const pointId = `${device}/${point}` as PointId;
  return isPointId(pointId) ? pointId : undefined;
}

/** Whether it is one: what a client or the center named may be any text. */
export function isPointId(text: PointId): boolean {
  const levels = text.split("/");
  return levels.length === 2 && levels.every(isSlug);
}

/** Tells which points' `reported` topics a readable filter of this site covers; `undefined`: none. */
export function reportedWithin(filter: string): ((id: PointId) => boolean) | undefined {
  const [, , , device = "", kind, point = "#", deeper = "#"] = filter.split("/");
  const isAnyPoint = point === "+" || point === "#";
  const isComplete = filter.split("/").length >= LEVELS && deeper === "#";
  if (kind !== "reported" || !isComplete) return undefined;
  return (id) => {
    const split = splitPointId(id);
    return (device === "+" || device === split.device) && (isAnyPoint || point === split.point);
  };
}

/** Whether a subscription to `filter` could ever see a message on a command topic of any site. */
export function overlapsCommands(filter: string): boolean {
  const levels = filter.split("/");
  const pattern = [...ROOT, "+", "+", "command", "+"];
  for (let index = 0; index < pattern.length; index += 1) {
    const asked = levels[index];
    if (asked === "#") return true;
    if (asked === undefined || !levelsMeet(asked, pattern[index] ?? "")) return false;
  }
  return levels.length === LEVELS || (levels.length === LEVELS + 1 && levels[LEVELS] === "#");
}

/** Whether `filter` stays inside what a client may see: twins and verdicts of this site. */
export function isReadable(filter: string, siteId: SiteId): boolean {
  const levels = filter.split("/");
  const [sc, v1, site] = levels;
  if (sc !== ROOT[0] || v1 !== ROOT[1] || (site !== siteId && site !== "+")) return false;
  const kind = levels[KIND_LEVEL];
  return (kind === "reported" || kind === "verdict") && !overlapsCommands(filter);
}

function levelsMeet(left: string, right: string): boolean {
  return left === "+" || right === "+" || left === right;
}
