import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { settleHeap } from "../domain/system/heap.ts";
import { systemClock } from "../domain/system-clock.ts";
import { Seconds, since } from "../domain/time.ts";
import { checkCity } from "./check/check-city.ts";
import { formatReport } from "./check/report.ts";
import { startCity } from "./city.ts";
import {
  CABINETS_MAX,
  CABINETS_MIN,
  EQUIPMENT_CHOICES,
  type EquipmentChoice,
  planCity,
} from "./city-plan.ts";
import { openCutLine } from "./cut-line.ts";
import { MALLOC_CHOICES } from "./program.ts";
import type { CityOptions } from "./programs.ts";
import { type CitySky, parseSkyOption } from "./sky-option.ts";
import { waitUntilKnown } from "./wait-until-known.ts";

const HELP = `The whole city on this machine: center with PostgreSQL, 23 gateways, 34,000 simulated lamps in 725 cabinets.

  npm start                    start it and print the address of its page; Ctrl-C ends it
  npm start -- --check         start it, command it, break it, hold every answer against the devices' journal, end it
  npm start -- --check --json  the same, with the report and its figures as JSON on standard output

  --folder DIR   stores, keys and logs (.nerve); kept between runs
  --fresh        begin with nothing: removes what the folder holds, the center's database included
  --cabinets N   a smaller city: so many cabinets spread over the municipalities, ${CABINETS_MIN} … ${CABINETS_MAX} (all)
  --equipment E  what stands there besides lamps and cabinets: all, one-of-each or none (all; in a smaller city one-of-each)
  --port N       port of the operators' page; 0: given by the system (0)
  --sky WHEN     where the sun stands: now, dusk (minutes before the first lamp lights), dawn, a time of day in Dijon
                 like 22:30, or off: lamps stay as they are told (now; with --check always off)
  --sky-speed N  the sky runs N times as fast as time, 1 … 3600 (1): --sky dusk --sky-speed 60 lights the city in half a minute
  --settle N     with --check: seconds over which the CPU of the settled city is measured, 1 … 600 (30)
  --help         this text

Exit codes: 0 ended as asked, 1 the check found a problem or a program ended by itself, 2 wrong arguments.
`;

/** How often a lamp fails in each half of the city: some ten an hour, as in a town with old lamps. */
const LAMP_FAILS_EVERY_SEC = 600;

for (const [name, value] of Object.entries(MALLOC_CHOICES)) process.env[name] ??= value;
settleHeap();
process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let settings: Settings;
  try {
    settings = parse(args);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\nsee npm start -- --help\n`);
    return 2;
  }
  if (settings.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const signal = endSignal();
  try {
    return settings.check ? await check(settings, signal) : await serve(settings, signal);
  } catch (error) {
    if (signal.aborted) return 0;
    process.stderr.write(`${messageOf(error)}\n`);
    return 1;
  } finally {
    if (signal.aborted)
      process.stderr.write(`The city has ended; its stores are kept in ${settings.folder}.\n`);
  }
}

/** Ctrl-C reaches npm too, which passes it on: a second signal must not end us in the middle of putting away. */
function endSignal(): AbortSignal {
  const stop = new AbortController();
  const onSignal = (): void => {
    if (!stop.signal.aborted) process.stderr.write("\nEnding the city: gateways, center, devices.\n");
    stop.abort(new Error("asked to end"));
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return stop.signal;
}

interface Settings {
  readonly folder: string;
  readonly port: number;
  readonly cabinets: number | "all";
  readonly equipment: EquipmentChoice | undefined;
  readonly fresh: CityOptions["fresh"];
  readonly sky: CitySky | null;
  readonly settle: number;
  readonly check: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

async function check(settings: Settings, signal: AbortSignal): Promise<number> {
  const say = progress();
  const plan = planCity(settings.cabinets, settings.equipment);
  await using line = await openCutLine(plan);
  // A lamp that fails or switches by itself would be a finding.
  const own = { plan, lampFailsEverySec: null, sky: null, centerUrl: line.centerUrl };
  await using city = await startCity({ ...common(settings, say, signal), ...own });
  const report = await checkCity(city, {
    line,
    settle: Seconds(settings.settle),
    clock: systemClock,
    signal,
    onProgress: say,
  });
  process.stdout.write(settings.json ? `${JSON.stringify(report)}\n` : formatReport(report));
  return report.ok ? 0 : 1;
}

async function serve(settings: Settings, signal: AbortSignal): Promise<number> {
  const say = progress();
  const { cabinets, equipment, sky } = settings;
  const own = { plan: planCity(cabinets, equipment), lampFailsEverySec: LAMP_FAILS_EVERY_SEC, sky };
  await using city = await startCity({ ...common(settings, say, signal), ...own });
  await waitUntilKnown(city, { clock: systemClock, signal, onProgress: say });
  process.stdout.write(`\nThe city is up: ${city.address}\nCtrl-C ends it.\n`);
  const failed = await Promise.race([city.failed, aborted(signal)]);
  if (failed === undefined) return 0;
  process.stderr.write(`${failed} ended by itself: see its log in ${settings.folder}/logs\n`);
  return 1;
}

function common(settings: Settings, onProgress: (what: string) => void, signal: AbortSignal) {
  const { folder, port, fresh } = settings;
  return { folder, port, fresh, clock: systemClock, signal, onProgress };
}

/** Lines for people who wait, with the seconds since the start. */
function progress(): (what: string) => void {
  const start = systemClock.uptime();
  return (what) => {
    const seconds = (since(start, systemClock.uptime()) / 1_000).toFixed(1);
    process.stderr.write(`${seconds.padStart(6)} s  ${what}\n`);
  };
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolveWith) => {
    if (signal.aborted) resolveWith(undefined);
    signal.addEventListener("abort", () => resolveWith(undefined), { once: true });
  });
}

function parse(args: readonly string[]): Settings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      check: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      fresh: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
      folder: { type: "string", default: ".nerve" },
      cabinets: { type: "string" },
      equipment: { type: "string" },
      port: { type: "string", default: "0" },
      settle: { type: "string", default: "30" },
      sky: { type: "string" },
      "sky-speed": { type: "string" },
    },
  });
  const { cabinets, sky = "now", "sky-speed": skySpeed = "1" } = values;
  if (values.check && (values.sky ?? values["sky-speed"]) !== undefined)
    throw new RangeError(
      "--check runs without a sky, so that nothing moves unordered: leave out --sky and --sky-speed",
    );
  const bounds = { min: CABINETS_MIN, max: CABINETS_MAX };
  return {
    folder: resolve(values.folder),
    port: wholeNumber("--port", values.port, { min: 0, max: 65_535 }),
    cabinets: cabinets === undefined ? "all" : wholeNumber("--cabinets", cabinets, bounds),
    equipment: equipmentChoice(values.equipment),
    fresh: values.fresh ? "fresh" : "keep",
    sky: parseSkyOption(sky, wholeNumber("--sky-speed", skySpeed, { min: 1, max: 3_600 }), systemClock.now()),
    settle: wholeNumber("--settle", values.settle, { min: 1, max: 600 }),
    check: values.check,
    json: values.json,
    help: values.help,
  };
}

function equipmentChoice(text: string | undefined): EquipmentChoice | undefined {
  const choice = EQUIPMENT_CHOICES.find((each) => each === text);
  if (choice === undefined && text !== undefined)
    throw new RangeError(`--equipment takes ${EQUIPMENT_CHOICES.join(", ")}, not ${JSON.stringify(text)}`);
  return choice;
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
