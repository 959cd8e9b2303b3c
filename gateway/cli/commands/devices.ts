import type { Command } from "commander";
import type { DeviceAnswer, DeviceSummary } from "../../local-api/client/answers.ts";
import type { Act } from "../act.ts";
import { formatPoints } from "../format-points.ts";
import { type Cell, formatTable, plain } from "../format-table.ts";
import { type Palette, paintOfQuality, palette } from "../paint.ts";

export function addDevices(program: Command, act: Act): void {
  program
    .command("devices")
    .summary("all devices, or every point of one")
    .description(
      "All devices with their worst quality; or one device with every point as it was last stored.",
    )
    .argument("[device]", "id of a device")
    .addHelpText(
      "after",
      "\nExamples:\n  nerve devices\n  nerve devices lamp-0042\n  nerve devices --json | jq '.devices[] | select(.worstQuality != \"good\")'\n",
    )
    .action(
      act(async ({ shell, options, args }) => {
        const { askGateway } = await import("../ask-gateway.ts");
        const [id] = args;
        const colours = palette(shell.colour);
        if (id === undefined) {
          const answer = await askGateway(options, shell, (client) => client.devices());
          shell.output.write(
            options.json ? `${JSON.stringify(answer)}\n` : formatDevices(answer.devices, colours),
          );
        } else {
          const device = await askGateway(options, shell, (client) => client.device(id));
          shell.output.write(options.json ? `${JSON.stringify(device)}\n` : formatDevice(device, colours));
        }
        return "ok";
      }),
    );
}

function formatDevices(devices: readonly DeviceSummary[], colours: Palette): string {
  const rows = devices.map((device): readonly Cell[] => [
    device.id,
    device.class,
    device.busId,
    device.unitAddress,
    String(device.points),
    worst(device, colours),
    device.name,
  ]);
  return formatTable(["DEVICE", "CLASS", "BUS", "UNIT", "POINTS", "WORST QUALITY", "NAME"], rows);
}

function worst({ worstQuality }: DeviceSummary, colours: Palette): Cell {
  if (worstQuality === null) return "nothing to read";
  return { text: worstQuality, paint: paintOfQuality(worstQuality, colours) };
}

function formatDevice(device: DeviceAnswer, colours: Palette): string {
  const { id, name, busId, unitAddress, profileId, members } = device;
  const group = members.length === 0 ? "" : `members: ${members.join(", ")}\n`;
  const head = plain(
    `${id} (${name}), ${device.class}, profile ${profileId}, bus ${busId}, unit ${unitAddress}`,
  );
  return `${head}\n${group}${formatPoints(device.points, colours)}`;
}
