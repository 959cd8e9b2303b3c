import type { Command } from "commander";
import type { BusAnswer } from "../../local-api/client/answers.ts";
import type { Act, Acting } from "../act.ts";
import { CliError } from "../cli-error.ts";
import type { ExitName } from "../exit-codes.ts";
import { palette } from "../paint.ts";
import { formatBus, formatBuses } from "./format-bus.ts";

export function addBuses(program: Command, act: Act): void {
  program
    .command("buses")
    .summary("the lines: occupancy, health, who costs what, and what to do")
    .description(
      "All buses with their occupancy, line health and silent units; or one bus with every unit: asked against reached\nintervals, its share of the line, holes, and what to do next.",
    )
    .argument("[bus]", "id of a bus")
    .addHelpText(
      "after",
      "\nExamples:\n  nerve buses\n  nerve buses bridge-1\n  nerve buses --json | jq '.buses[] | select(.occupancy > 0.9) | .id'\n",
    )
    .action(act(buses));
}

async function buses({ shell, options, args }: Acting<object>): Promise<ExitName> {
  const [id] = args;
  const { askGateway } = await import("../ask-gateway.ts");
  const { buses } = await askGateway(options, shell, (client) => client.status());
  const colours = palette(shell.colour);
  if (id === undefined) {
    shell.output.write(options.json ? `${JSON.stringify({ buses })}\n` : formatBuses(buses, colours));
    return "ok";
  }
  const bus = getBus(buses, id);
  shell.output.write(options.json ? `${JSON.stringify(bus)}\n` : formatBus(bus, colours));
  return "ok";
}

function getBus(buses: readonly BusAnswer[], id: string): BusAnswer {
  const found = buses.find((bus) => bus.id === id);
  if (found !== undefined) return found;
  const known = buses.map((bus) => bus.id).join(", ");
  throw new CliError("usage", `no bus ${JSON.stringify(id)} on this gateway: it has ${known}`);
}
