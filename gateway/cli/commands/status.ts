import type { Command } from "commander";
import type { BusAnswer, FieldHostAnswer, StatusAnswer } from "../../local-api/client/answers.ts";
import type { Act, Acting } from "../act.ts";
import { CliError } from "../cli-error.ts";
import type { ExitName } from "../exit-codes.ts";
import { type Cell, formatTable, plain } from "../format-table.ts";
import { formatBytes, formatSpan } from "../format-value.ts";
import { type Palette, palette } from "../paint.ts";

export function addStatus(program: Command, act: Act): void {
  program
    .command("status")
    .summary("how the gateway does: link, points, buses, store, memory")
    .description(
      "How the gateway does: link to the center, points by quality, buses, field hosts, store, memory.",
    )
    .addHelpText(
      "after",
      "\nExamples:\n  nerve status\n  nerve status --json | jq .points\n  nerve status --data-folder /var/lib/nerve\n",
    )
    .action(act(status));
}

async function status({ shell, options }: Acting<object>): Promise<ExitName> {
  const { askGateway } = await import("../ask-gateway.ts");
  try {
    const answer = await askGateway(options, shell, (client) => client.status());
    const text = options.json ? `${JSON.stringify(answer)}\n` : formatStatus(answer, palette(shell.colour));
    shell.output.write(text);
    return answer.store.access === "read-write" ? "ok" : "store-failing";
  } catch (error) {
    if (error instanceof CliError && error.exit === "not-running") await tellStore({ shell, options });
    throw error;
  }
}

/** The daemon is down: its files can still be looked into. */
async function tellStore({ shell, options }: Pick<Acting<object>, "shell" | "options">): Promise<void> {
  const { findGateway } = await import("../find-gateway.ts");
  const { lookIntoStore, formatStoreLook } = await import("../look-into-store.ts");
  const { dataFolder } = await findGateway(options, shell);
  const look = lookIntoStore(dataFolder, shell.clock);
  if (look === undefined) return;
  shell.output.write(options.json ? `${JSON.stringify(look)}\n` : formatStoreLook(look));
}

function formatStatus(status: StatusAnswer, colours: Palette): string {
  const { points, store, broker } = status;
  const { A, B, C, D } = store.backlog;
  const worst = points.bad > 0 ? colours.bad : points.uncertain > 0 ? colours.doubt : colours.good;
  const lines: readonly (readonly [string, string])[] = [
    ["gateway", plain(`${status.gatewayId} of ${status.site.id} (${status.site.name})`)],
    ["runs", `${status.software}, up ${formatSpan(status.uptimeMs)}, process ${status.pid}`],
    ["center", formatLink(status)],
    [
      "points",
      worst(`${points.good} good, ${points.uncertain} uncertain, ${points.bad} bad`) +
        ` of ${points.total} on ${status.devices} ${status.devices === 1 ? "device" : "devices"}`,
    ],
    ["store", formatStore(store, colours)],
    ["backlog", `A ${A}, B ${B}, C ${C}, D ${D} records still to be told`],
    ["broker", broker === null ? "not listening" : `MQTT on ${broker.host}:${broker.port}`],
    ["memory", `${formatBytes(status.memory.rssBytes)}, heap ${formatBytes(status.memory.heapUsedBytes)}`],
    ["incarnation", status.incarnation],
  ];
  const head = lines.map(([name, text]) => `${name.padEnd(12)}${text}\n`).join("");
  const findings = store.findings.map(({ file, setAsideAs, reason }) =>
    plain(`! ${file}: ${reason}${setAsideAs === null ? "" : `; set aside as ${setAsideAs}`}`).concat("\n"),
  );
  return `${head}${formatFault(store)}${findings.join("")}\n${formatBuses(status, colours)}`;
}

/** What gives way at each level of pressure; docs/architecture.md, "The store". */
const PRESSURES: Readonly<Record<string, string>> = {
  drop: "diagnostics and readings that the center holds give way",
  thin: "old readings are thinned to least, greatest and last of 15 min",
  "thin-live": "all readings are thinned to least, greatest and last of 15 min",
  least: "only evidence, alarms, latest states and some readings are kept",
};

function formatStore(store: StatusAnswer["store"], colours: Palette): string {
  const { state, usedBytes, quotaBytes, pressure, access, ballastReleased } = store;
  const gives = PRESSURES[pressure];
  const parts = [
    ...(access === "read-write" ? [] : [colours.bad(access.toUpperCase())]),
    `${state}, ${formatBytes(usedBytes)} of ${formatBytes(quotaBytes)}`,
    ...(gives === undefined ? [] : [`${pressure}: ${gives}`]),
    ...(ballastReleased ? [colours.bad("the disk is full, and its last room is for evidence")] : []),
  ];
  return parts.join("; ");
}

/** Commands are refused, so whoever looks must see why. */
function formatFault({ access, fault, unstored }: StatusAnswer["store"]): string {
  if (access === "read-write" || fault === null) return "";
  const lost = unstored > 0 ? `; ${unstored} readings were not stored` : "";
  return plain(`! commands are refused: ${fault}${lost}`).concat("\n");
}

function formatLink({ center, link }: StatusAnswer): string {
  if (center === null || link === null) return "none: this gateway works alone";
  const session = link.session === null ? "" : ` in sync session ${link.session}`;
  return plain(`${link.phase}${session}, since ${formatSpan(link.sinceMs)}: ${link.detail}`);
}

function formatBuses({ buses, fieldHosts }: StatusAnswer, colours: Palette): string {
  const hosts = new Map(fieldHosts.map((host) => [host.group, host]));
  const rows = buses.map((bus) => busRow(bus, hosts.get(bus.fieldHost), colours));
  return formatTable(["BUS", "STATE", "BUSY", "EXCHANGES", "SILENT UNITS", "FAULTS", "FIELD HOST"], rows);
}

function busRow(bus: BusAnswer, host: FieldHostAnswer | undefined, colours: Palette): readonly Cell[] {
  const silent = bus.units.filter(({ state }) => state === "silent").map(({ unitAddress }) => unitAddress);
  const faults = Object.entries(bus.faults).map(([code, count]) => `${code} ${count}`);
  const told = bus.occupancy !== null;
  return [
    bus.id,
    { text: bus.state, paint: bus.state === "open" ? colours.good : colours.bad },
    told ? `${Math.round((bus.occupancy ?? 0) * 100)} %` : "–",
    told ? `${(bus.exchangesPerSecond ?? 0).toFixed(1)} /s` : "–",
    silent.length === 0
      ? `0 of ${bus.units.length}`
      : `${silent.length} of ${bus.units.length}: ${shortened(silent)}`,
    faults.length === 0 ? "none" : faults.join(", "),
    formatHost(bus.fieldHost, host),
  ];
}

function shortened(units: readonly string[]): string {
  const shown = units.slice(0, 5).join(", ");
  return units.length > 5 ? `${shown} …` : shown;
}

function formatHost(group: string, host: FieldHostAnswer | undefined): string {
  if (host === undefined) return group;
  return host.pid === null ? `${group} ${host.state}` : `${group} ${host.state} (process ${host.pid})`;
}
