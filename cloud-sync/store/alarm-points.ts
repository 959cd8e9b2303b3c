/** A boolean whose name ends in one of these tells of trouble while it is true; the center has no profile to ask. */
const TROUBLE =
  /(^|-)(failures?|fault|alarm|trip|tripped|spent|error|door-open|water|flood|smoke|shock|tamper|deadlock|arm-missing|obstruction|battery-low|on-battery|covered)(-on|-off|-\d+)?$/;
/** Somebody may come to harm, a whole street is dark, or a junction is out. */
const HIGH = /(^|-)(shock|rcd|main-breaker|water|flood|smoke|intrusion|major-fault|arm-missing)(-|$)/;
const MEDIUM =
  /(^|-)(tripped|trip|door-open|spent|tamper|motor-fault|obstruction|deadlock|serious-lamp-error)(-|$)/;

/** What is trouble elsewhere and daily life here: a door that people use stands open every minute. */
export const NO_ALARM = { class: "access-point", name: "door-open" } as const;

export function isAlarmPoint(point: {
  readonly name: string;
  readonly type: string | null;
  /** Of its device; absent: whatever. */
  readonly class?: string;
}): boolean {
  if (point.class === NO_ALARM.class && point.name === NO_ALARM.name) return false;
  return point.type === "boolean" && TROUBLE.test(point.name);
}

/** How soon a person is needed. One lamp out of 34,000 is low: a crew goes by when it is near. */
export function alarmSeverity(name: string): "low" | "medium" | "high" {
  if (HIGH.test(name)) return "high";
  return MEDIUM.test(name) ? "medium" : "low";
}
