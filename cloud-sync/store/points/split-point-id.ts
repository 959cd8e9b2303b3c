/** `<device>/<point>` as its two columns. A text without a slash names no point, and finds none. */
export function splitPointId(pointId: string): readonly [deviceId: string, name: string] {
  const slash = pointId.indexOf("/");
  return slash < 0 ? [pointId, ""] : [pointId.slice(0, slash), pointId.slice(slash + 1)];
}
