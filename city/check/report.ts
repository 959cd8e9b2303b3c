import type { CheckReport } from "./check-city.ts";
import type { CommandCheck } from "./command-case.ts";
import type { Figure } from "./figures.ts";
import type { Usage } from "./load-figures.ts";
import type { OutageCheck } from "./outages.ts";
import type { ReadingCheck } from "./reading-case.ts";

/** The report for people. */
export function formatReport(report: CheckReport): string {
  const { settledCpu, memory } = report;
  const lines = [
    "",
    ...report.figures.map(formatFigure),
    `cores by program: ${parts(settledCpu, (cores) => cores.toFixed(2))}`,
    `MB by program: ${parts(memory, (bytes) => (bytes / 1e6).toFixed(0))}`,
    "",
    ...report.commands.flatMap(formatCommand),
    ...report.readings.map(formatReading),
    ...report.outages.map(formatOutage),
    `check took ${seconds(report.tookMs)}`,
    ...report.problems.map((problem) => `PROBLEM   ${problem}`),
    report.ok ? "all is as it should be" : `${report.problems.length} problems`,
  ];
  return `${lines.join("\n")}\n`;
}

function formatFigure({ name, what, value, unit, goalAtMost, met }: Figure): string {
  const goal = goalAtMost === null ? "" : ` (goal ${shown(goalAtMost, unit)}${met ? "" : ", missed"})`;
  return `${name.padEnd(23)} ${shown(value, unit)}${goal}: ${what}`;
}

function shown(value: number | null, unit: Figure["unit"]): string {
  if (value === null) return "too late";
  if (unit === "s") return `${value.toFixed(1)} s`;
  if (unit === "cores") return `${value.toFixed(2)} cores`;
  if (unit === "bytes") return `${(value / 1e9).toFixed(2)} GB`;
  return value < 1_000 ? `${value} ms` : seconds(value);
}

function parts({ byProgram }: Usage, show: (value: number) => string): string {
  return Object.entries(byProgram)
    .map(([name, value]) => `${name} ${show(value)}`)
    .join(", ");
}

function formatCommand(command: CommandCheck): readonly string[] {
  const shown = command.effects.slice(0, 3).join(", ");
  const more = command.effects.length > 3 ? `, and ${command.effects.length - 3} more` : "";
  return [
    `${mark(command)}  ${command.name}: ${command.pointId} to ${command.value} → ${command.end} in ${seconds(command.tookMs)}`,
    `     center   ${command.states.join(" → ")}`,
    `     devices  ${command.effects.length === 0 ? "nothing moved" : shown + more}`,
  ];
}

function formatReading(reading: ReadingCheck): string {
  const { name, pointId, shown, tookMs } = reading;
  return `${mark(reading)}  ${name}: ${pointId} shown as ${shown} after ${seconds(tookMs)}`;
}

function formatOutage(outage: OutageCheck): string {
  const { name, gatewayId, unknownAfterMs, goodAgainAfterMs } = outage;
  return `${mark(outage)}  ${name} (${gatewayId}): unknown after ${seconds(unknownAfterMs)}, good again ${seconds(goodAgainAfterMs)} after it could`;
}

function mark({ problems }: { readonly problems: readonly string[] }): string {
  return problems.length === 0 ? "ok " : "BAD";
}

function seconds(ms: number | null): string {
  return ms === null ? "too late" : `${(ms / 1_000).toFixed(2)} s`;
}
