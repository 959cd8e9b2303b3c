import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "../domain/system-clock.ts";
import { checkCity } from "./check.ts";
import { startCity } from "./city.ts";
import type { CityOptions } from "./programs.ts";
import { formatReport } from "./report.ts";

const HELP = `The whole city on this machine: center, gateway and simulated devices, each a process of its own.

  npm start                    start it and print the address of its page; Ctrl-C ends it
  npm start -- --check         start it, command it, hold every answer against the devices' journal, end it
  npm start -- --check --json  the same, with the report as JSON on standard output

  --folder DIR   stores, keys and logs (.nerve); kept between runs
  --fresh        begin with an empty folder
  --lamps N      lamps behind the bridge, 3 … 64 (16)
  --port N       port of the operators' page; 0: given by the system (0)
  --help         this text

Exit codes: 0 ended as asked, 1 the check found a problem or a program ended by itself, 2 wrong arguments.
`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let settings: ReturnType<typeof parse>;
  try {
    settings = parse(args);
  } catch (error) {
    process.stderr.write(
      `${error instanceof Error ? error.message : String(error)}\nsee npm start -- --help\n`,
    );
    return 2;
  }
  if (settings.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const interrupted = interruption();
  try {
    await using city = await startCity(settings.options);
    return settings.check ? await check(city, settings) : await serve(city, interrupted);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

async function check(
  city: Awaited<ReturnType<typeof startCity>>,
  settings: ReturnType<typeof parse>,
): Promise<number> {
  const report = await checkCity(city, settings.options);
  process.stdout.write(settings.json ? `${JSON.stringify(report)}\n` : formatReport(report));
  return report.ok ? 0 : 1;
}

async function serve(
  city: Awaited<ReturnType<typeof startCity>>,
  interrupted: Promise<string>,
): Promise<number> {
  process.stdout.write(`\nThe city is up: ${city.address}\nCtrl-C ends it.\n`);
  const failed = city.failed.then((name) => ({ failed: name }));
  const outcome = await Promise.race([failed, interrupted.then(() => null)]);
  if (outcome === null) {
    process.stderr.write("ending the city\n");
    return 0;
  }
  process.stderr.write(`${outcome.failed} ended by itself; see its log\n`);
  return 1;
}

function parse(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      check: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      fresh: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
      folder: { type: "string", default: ".nerve" },
      lamps: { type: "string", default: "16" },
      port: { type: "string", default: "0" },
    },
  });
  const options: CityOptions = {
    folder: resolve(values.folder),
    port: wholeNumber("--port", values.port, { min: 0, max: 65_535 }),
    lamps: wholeNumber("--lamps", values.lamps, { min: 3, max: 64 }),
    fresh: values.fresh ? "fresh" : "keep",
    clock: systemClock,
    onProgress: (what) => process.stderr.write(`starting ${what}\n`),
  };
  return { options, check: values.check, json: values.json, help: values.help };
}

function wholeNumber(
  name: string,
  text: string,
  range: { readonly min: number; readonly max: number },
): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < range.min || value > range.max) {
    throw new RangeError(
      `${name} takes a whole number from ${range.min} to ${range.max}, not ${JSON.stringify(text)}`,
    );
  }
  return value;
}

function interruption(): Promise<string> {
  return new Promise((resolveWith) => {
    process.once("SIGINT", resolveWith);
    process.once("SIGTERM", resolveWith);
  });
}
