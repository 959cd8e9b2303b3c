import { findSocket } from "../local-api/client/socket-place.ts";
import { LocalApiClient, LocalClientError } from "../local-api/client.ts";
import { CliError } from "./cli-error.ts";
import type { ExitName } from "./exit-codes.ts";
import { type FoundGateway, findGateway } from "./find-gateway.ts";
import type { GlobalOptions } from "./global-options.ts";
import type { Shell } from "./shell.ts";

/** Asks the gateway that is meant. @throws {CliError} with what was tried, where, and what to do. */
export async function askGateway<Answer>(
  options: GlobalOptions,
  shell: Shell,
  ask: (client: LocalApiClient) => Promise<Answer>,
): Promise<Answer> {
  const found = await findGateway(options, shell);
  const socketPath = findSocket(found.dataFolder);
  const client = new LocalApiClient({
    socketPath,
    timeout: options.timeout,
    clock: shell.clock,
    signal: shell.interrupted,
  });
  try {
    return await ask(client);
  } catch (error) {
    throw error instanceof LocalClientError ? told(error, found) : error;
  }
}

function told(error: LocalClientError, { dataFolder, because }: FoundGateway): CliError {
  const place = error.code === "not-running" ? `\n  looked in ${dataFolder} (${because})` : "";
  return new CliError(exitOfFault(error), `${error.message}${place}`, { cause: error });
}

function exitOfFault({ code, answer }: LocalClientError): ExitName {
  if (code === "interrupted") return "interrupted";
  if (code === "not-running" || code === "not-permitted") return "not-running";
  if (code !== "refused") return "no-answer";
  switch (answer?.code) {
    case "unknown-device":
    case "unknown-point":
    case "unknown-command":
    case "not-readable":
      return "rejected";
    case "bad-request":
    case "unknown-route":
      return "usage";
    default:
      return "no-answer";
  }
}
