/** A boolean whose name ends in one of these tells of trouble while it is true; the center has no profile to ask. */
const TROUBLE =
  /(^|-)(failures?|fault|alarm|trip|tripped|spent|error|door-open|water|shock)(-on|-off|-\d+)?$/;
/** Somebody may come to harm, or a whole street is dark. */
const HIGH = /(^|-)(shock|rcd|main-breaker|water|smoke|intrusion)(-|$)/;
const MEDIUM = /(^|-)(tripped|trip|door-open|spent)(-|$)/;

export function isAlarmPoint({
  name,
  type,
}: {
  readonly name: string;
  readonly type: string | null;
}): boolean {
  return type === "boolean" && TROUBLE.test(name);
}

/** How soon a person is needed. One lamp out of 34,000 is low: a crew goes by when it is near. */
export function alarmSeverity(name: string): "low" | "medium" | "high" {
  if (HIGH.test(name)) return "high";
  return MEDIUM.test(name) ? "medium" : "low";
}
