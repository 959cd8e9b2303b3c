import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { startProgram } from "../city/program.ts";
import { type Clock, Seconds } from "../domain/time.ts";

const SIMULATORS = fileURLToPath(new URL("../simulators/main.ts", import.meta.url));

const figuresSchema = z.looseObject({
  requests: z.number(),
  answers: z.number(),
  silenceViolations: z.number(),
  gapViolations: z.number(),
  damaged: z.number(),
  collisions: z.number(),
});
export type LineFigures = z.infer<typeof figuresSchema>;

/** A simulated line in a process of its own, keeping its schedule to some 0.02 ms. */
export interface PacedLine extends AsyncDisposable {
  readonly path: string;
  figures(): Promise<LineFigures>;
}

/** On the wire, with both silences; 11 bits a character. */
export function exchangeMs(baud: number, registers: number): number {
  const character = 11_000 / baud;
  const silence = baud > 19_200 ? 1.75 : 3.5 * character;
  return (8 + 5 + 2 * registers) * character + 2 * silence;
}

export async function startPacedLine(
  asked: {
    readonly name: string;
    readonly baud: number;
    readonly units: readonly number[];
    readonly registers: number;
  },
  folder: string,
  clock: Clock,
): Promise<PacedLine> {
  const holding = Object.fromEntries(Array.from({ length: asked.registers }, (_, place) => [place, place]));
  const units = asked.units.map((unit) => ({ unit, kind: "register-bank", holding }));
  const device = { id: "line", kind: "rtu-line", baud: asked.baud, turnaroundMs: 0, precise: true, units };
  const config = join(folder, `${asked.name}.json`);
  await writeFile(config, JSON.stringify({ control: "127.0.0.1:0", devices: [device] }));
  const program = await startProgram({
    name: "line",
    command: [SIMULATORS, "--config", config],
    logFile: join(folder, `${asked.name}.log`),
    readyWithin: Seconds(20),
    parseReady: (line) => readySchema.parse(line),
    clock,
  });
  const { control, devices } = program.ready;
  return {
    path: devices[0].path,
    figures: async () => {
      const answer = await fetch(`http://${control.host}:${control.port}/devices/line`);
      return shownSchema.parse(await answer.json()).state.line;
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

const readySchema = z.looseObject({
  control: z.looseObject({ host: z.string(), port: z.number() }),
  devices: z.tuple([z.looseObject({ path: z.string() })]),
});
const shownSchema = z.looseObject({ state: z.looseObject({ line: figuresSchema }) });
