import type { CheckReport } from "./check-city.ts";
import type { CommandCheck } from "./command-cases.ts";
import type { Usage } from "./load-figures.ts";
import type { OutageCheck } from "./outages.ts";

/** The report for people. */
export function formatReport(report: CheckReport): string {
  const { start, latency, burst, settledCpu, memory } = report;
  const lines = [
    "",
    `levels    ${start.lamps} lamps and ${start.cabinets} cabinets good ${seconds(start.levelsGoodAfterMs)} after PostgreSQL was ready`,
    `points    ${start.points} good ${seconds(start.pointsGoodAfterMs)} after it`,
    `orders    ${latency.commands} to lamps: half within ${latency.p50Ms} ms, 99 of 100 within ${latency.p99Ms} ms`,
    `dusk      ${burst.groups} groups, ${burst.lamps} lamps: proven after ${seconds(burst.commandsEndedAfterMs)}, shown after ${seconds(burst.shownAfterMs)}`,
    `cpu       ${usage(settledCpu, (cores) => cores.toFixed(2))} cores, settled`,
    `memory    ${usage(memory, (bytes) => String(Math.round(bytes / 1_048_576)))} MiB (proportional set size)`,
    "",
    ...report.commands.flatMap(formatCommand),
    ...report.outages.map(formatOutage),
    `check took ${seconds(report.tookMs)}`,
    ...report.problems.map((problem) => `PROBLEM   ${problem}`),
    report.ok ? "all is as it should be" : `${report.problems.length} problems`,
  ];
  return `${lines.join("\n")}\n`;
}

function usage({ total, byProgram }: Usage, show: (value: number) => string): string {
  const parts = Object.entries(byProgram).map(([name, value]) => `${name} ${show(value)}`);
  return `${show(total)} (${parts.join(", ")})`;
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
