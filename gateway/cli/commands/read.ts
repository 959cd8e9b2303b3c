import type { Command } from "commander";
import type { PointAnswer } from "../../local-api/client/answers.ts";
import type { Act, Acting } from "../act.ts";
import { CliError } from "../cli-error.ts";
import type { ExitName } from "../exit-codes.ts";
import { formatPoints } from "../format-points.ts";
import { formatSpan } from "../format-value.ts";
import { palette } from "../paint.ts";

interface ReadOptions {
  readonly fresh?: true;
  readonly last?: true;
}

export function addRead(program: Command, act: Act): void {
  program
    .command("read")
    .summary("ask a device now")
    .description(
      "Reads a device, or one point of it, on its bus now, and tells how long that took. With --last: what was stored last.",
    )
    .argument("<device>", "id of a device")
    .argument("[point]", "name of a point; all readable ones if left out")
    .option("--fresh", "ask the bus now (this is what happens without options)")
    .option("--last", "do not ask the bus: the value stored last, with its age")
    .addHelpText(
      "after",
      "\nExamples:\n  nerve read lamp-0042\n  nerve read lamp-0042 actual-level\n  nerve read lamp-0042 actual-level --last --json | jq .points[0].value\n",
    )
    .action(act<ReadOptions>((acting) => (acting.options.last ? readLast(acting) : readFresh(acting))));
}

async function readFresh({ shell, options, args }: Acting<ReadOptions>): Promise<ExitName> {
  const { askGateway } = await import("../ask-gateway.ts");
  const [device = "", point] = args;
  const body = { name: shell.userName, device, ...(point !== undefined && { point }) };
  const answer = await askGateway(options, shell, (client) => client.read(body));
  if (options.json) shell.output.write(`${JSON.stringify(answer)}\n`);
  if (answer.outcome === "fault") {
    const told = `${device} was not read (${answer.code}) in ${formatSpan(answer.tookMs)}: ${answer.detail}`;
    if (!options.json) shell.errors.write(`${told}\n  what was known before: nerve read ${device} --last\n`);
    return "fault";
  }
  if (!options.json) {
    shell.output.write(formatPoints(answer.points, palette(shell.colour)));
    shell.output.write(`read on the bus in ${formatSpan(answer.tookMs)}\n`);
  }
  return exitOfPoints(answer.points);
}

async function readLast({ shell, options, args }: Acting<ReadOptions>): Promise<ExitName> {
  if (options.fresh) throw new CliError("usage", "--fresh and --last exclude each other: leave one out");
  const { askGateway } = await import("../ask-gateway.ts");
  const [device = "", point] = args;
  const points = await askGateway(options, shell, async (client) =>
    point === undefined ? (await client.device(device)).points : [await client.point({ device, point })],
  );
  const answer = { outcome: "last", deviceId: device, points };
  shell.output.write(
    options.json ? `${JSON.stringify(answer)}\n` : formatPoints(points, palette(shell.colour)),
  );
  return exitOfPoints(points);
}

/** A fault when nothing of what was asked for has a value. */
function exitOfPoints(points: readonly PointAnswer[]): ExitName {
  return points.some(({ value }) => value !== null) ? "ok" : "fault";
}
