import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Program, startProgram } from "../city/program.ts";
import { type GatewayReady, parseGatewayReady } from "../city/ready-lines.ts";
import { type Clock, Seconds } from "../domain/time.ts";
import { LocalApiClient } from "../gateway/local-api/client.ts";

const ENTRY = fileURLToPath(new URL("../gateway/main.ts", import.meta.url));

/** The product's own program, with field hosts as processes, and its local API. */
export interface GatewayUnderTest extends AsyncDisposable {
  readonly program: Program<GatewayReady>;
  readonly api: LocalApiClient;
}

export async function startGatewayUnderTest(run: {
  readonly siteFile: string;
  readonly folder: string;
  readonly clock: Clock;
}): Promise<GatewayUnderTest> {
  const { siteFile, folder, clock } = run;
  const program = await startProgram({
    name: "gateway",
    command: [ENTRY, "--site", siteFile],
    logFile: join(folder, "gateway.log"),
    readyWithin: Seconds(30),
    parseReady: parseGatewayReady,
    clock,
  });
  const { signal } = new AbortController();
  const api = new LocalApiClient({ socketPath: program.ready.socket, timeout: Seconds(10), clock, signal });
  return { program, api, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}
