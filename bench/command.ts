import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { startProgram } from "../city/program.ts";
import { simulatorsReady } from "../city/ready-lines.ts";
import { systemRandom } from "../domain/system-random.ts";
import { type Clock, Seconds } from "../domain/time.ts";
import { newCommandId } from "../gateway/local-api/client/command-id.ts";
import type { LocalApiClient } from "../gateway/local-api/client.ts";
import type { BenchLine } from "./bench-line.ts";
import { siteFileOf } from "./bridge-site-file.ts";
import { startGatewayUnderTest } from "./gateway-under-test.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const COMMANDS = 500;
const LAMPS = 47;
const LEVELS = [40, 80] as const;

const bareResult = z.looseObject({ tookMs: z.array(z.number()) });

/**
 * From the order at the gateway to the value read back, over 500 commands to one lamp while the gateway polls 47,
 * beside a bare modbus-serial loop that writes and reads back on the same bridge. Lamps act at once (no fade).
 */
export async function benchCommand(folder: string, clock: Clock): Promise<readonly BenchLine[]> {
  await mkdir(folder, { recursive: true });
  await using simulators = await startProgram({
    name: "simulators",
    command: [
      join(ROOT, "simulators/main.ts"),
      "--bridge",
      "127.0.0.1:0",
      "--lamps",
      String(LAMPS),
      "--fade-ms",
      "0",
      "--control",
      "127.0.0.1:0",
    ],
    logFile: join(folder, "simulators.log"),
    readyWithin: Seconds(10),
    parseReady: (line) => simulatorsReady.parse(line),
    clock,
  });
  const bridge = simulators.ready.bridges[0];
  if (bridge === undefined) throw new Error("the simulators opened no bridge");
  await using bare = await startProgram({
    name: "bare loop",
    command: [
      join(ROOT, "bench/peers/bare-command.ts"),
      String(bridge.port),
      String(bridge.unit),
      String(COMMANDS),
    ],
    logFile: join(folder, "bare.log"),
    readyWithin: Seconds(60),
    parseReady: (line) => bareResult.parse(line),
    clock,
  });
  const siteFile = join(folder, "site.yaml");
  await writeFile(
    siteFile,
    siteFileOf({
      gatewayId: "gw-bench",
      lamps: LAMPS,
      simulators: simulators.ready,
      centerUrl: "https://127.0.0.1:1",
    }),
  );
  await using gateway = await startGatewayUnderTest({ siteFile, folder, clock });
  await clock.sleep(Seconds(5), new AbortController().signal);
  const tookMs = await commandLamp(gateway.api, clock);
  return [0.5, 0.99].map((share) => lineOf(share, tookMs, bare.ready.tookMs));
}

async function commandLamp(client: LocalApiClient, clock: Clock): Promise<readonly number[]> {
  const target = { name: "bench", device: "lamp-0001", point: "dim-level", deadlineMs: 5_000 };
  const tookMs: number[] = [];
  for (let index = 0; index < COMMANDS; index += 1) {
    const value = LEVELS[index % 2] ?? 40;
    const start = clock.uptime();
    const command = await client.command(
      { ...target, commandId: newCommandId(clock.now(), systemRandom), value },
      Seconds(10),
    );
    tookMs.push(clock.uptime() - start);
    if (command.state.name !== "succeeded")
      throw new Error(`command ${index} ended as ${JSON.stringify(command.state)}`);
  }
  return tookMs;
}

function lineOf(share: number, tookMs: readonly number[], bareMs: readonly number[]): BenchLine {
  const value = quantile(tookMs, share);
  const baseline = quantile(bareMs, share);
  return {
    bench: "command",
    name: `p${share * 100} of a lamp's command, order to value read back, while ${LAMPS} lamps are polled`,
    unit: "ms",
    value,
    baseline,
    ratio: Math.round((value / baseline) * 100) / 100,
    goal: "reported",
    ok: true,
    details: { commands: COMMANDS, pollIntervalMs: 2_000 },
  };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return (
    Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 100) / 100
  );
}
