import type { CheckReport, CommandCheck } from "./check.ts";

/** The report for people. */
export function formatReport(report: CheckReport): string {
  const { lamps } = report;
  const lines = [
    "",
    `lamps     ${lamps.good} of ${lamps.expected} good after ${seconds(lamps.goodAfterMs)}`,
    `memory    ${Math.round(report.memoryBytes / 1_048_576)} MiB of all programs (proportional set size)`,
    "",
    ...report.commands.flatMap(formatCommand),
    `check took ${seconds(report.tookMs)}`,
    ...report.problems.map((problem) => `PROBLEM   ${problem}`),
    report.ok ? "all is as it should be" : `${report.problems.length} problems`,
  ];
  return `${lines.join("\n")}\n`;
}

function formatCommand(command: CommandCheck): readonly string[] {
  const shown = command.effects.slice(0, 3).join(", ");
  const more = command.effects.length > 3 ? `, and ${command.effects.length - 3} more` : "";
  return [
    `${command.problems.length === 0 ? "ok " : "BAD"}  ${command.name}: ${command.pointId} to ${command.value} % → ${command.end} in ${seconds(command.tookMs)}`,
    `     center   ${command.states.join(" → ")}`,
    `     devices  ${command.effects.length === 0 ? "nothing moved" : shown + more}`,
  ];
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}
