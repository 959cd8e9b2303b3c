import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { type Program, startProgram } from "../city/program.ts";
import { type Clock, Seconds } from "../domain/time.ts";
import { LocalApiClient } from "../gateway/local-api/client.ts";

const ENTRY = fileURLToPath(new URL("../gateway/main.ts", import.meta.url));
const gatewayReady = z.looseObject({ socket: z.string() });

/** The product's own program, with field hosts as processes, and its local API. */
export interface GatewayUnderTest extends AsyncDisposable {
  readonly program: Program<{ readonly socket: string }>;
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
    parseReady: (line) => gatewayReady.parse(line),
    clock,
  });
  const { signal } = new AbortController();
  const api = new LocalApiClient({ socketPath: program.ready.socket, timeout: Seconds(10), clock, signal });
  return { program, api, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}
