import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import pino from "pino";
import t from "tap";
import { systemClock } from "../../domain/system-clock.ts";
import { Seconds } from "../../domain/time.ts";
import { NO_HOLES } from "../../drivers/driver.ts";
import { modbusDriver } from "../../drivers/modbus/modbus-driver.ts";
import { point } from "../drivers/modbus/modbus-unit.ts";

const MAIN = new URL("../../simulators/main.ts", import.meta.url).pathname;

t.test(
  "serial lines stand by a configuration file, are read by their drivers and handled by their units",
  async (t) => {
    const folder = t.testdir();
    const link = `${folder}/line-1`;
    await using simulators = await run(folder, [
      {
        ...{ id: "line-1", kind: "rtu-line", link, baud: 38_400, parity: "even" },
        units: [
          { unit: 3, kind: "register-bank", holding: { 10: 7 } },
          { unit: 4, kind: "modbus-counter" },
        ],
      },
      {
        ...{ id: "doors-1", kind: "osdp-line", link: `${folder}/doors-1` },
        doors: [
          { id: "north-door", address: 1 },
          { id: "south-door", address: 2 },
        ],
      },
    ]);
    t.match(simulators.ready.devices, [
      { id: "line-1", kind: "rtu-line", path: link, baud: 38_400, units: [3, 4] },
      { id: "doors-1", path: `${folder}/doors-1`, doors: [{ id: "north-door", address: 1 }, { address: 2 }] },
    ]);
    const { signal } = new AbortController();
    const config = modbusDriver.parseBusConfig({ transport: "rtu", path: link, baud: 38_400 });
    const context = {
      clock: systemClock,
      logger: pino({ enabled: false }),
      requestTimeout: Seconds(2),
      frames: () => {},
    };
    await using bus = await modbusDriver.openBus(config, context, signal);
    const session = bus.openSession("3", []);
    const written = point("value", { table: "holding", register: 10 });
    const value = { ...written, address: modbusDriver.parseAddress(written.address, written) };
    const read = async () => {
      const [exchange] = session.plan([value], NO_HOLES);
      return exchange === undefined ? [] : await session.exchange(exchange, signal);
    };
    t.match(await read(), [{ value: 7 }]);
    await simulators.hand("line-1", { action: "set-of-3", table: "holding", address: 10, value: 9 });
    t.match(await read(), [{ value: 9 }]);
    await simulators.hand("doors-1", { action: "push-door", door: "south-door", force: 1 });
    await simulators.end();
    t.match(simulators.journal(), [
      { device: "line-1-3", what: "holding-10", from: 7, to: 9, cause: { by: "control", action: "set" } },
      { device: "south-door", what: "door-contact", from: 0, to: 1 },
    ]);
    t.notOk(existsSync(link), "the name of the line is taken away at the end");
  },
);

/** The program, with these devices in its configuration file. */
async function run(folder: string, devices: readonly object[]) {
  const file = `${folder}/simulators.json`;
  const journalFile = `${folder}/journal.jsonl`;
  writeFileSync(file, JSON.stringify({ control: "127.0.0.1:0", journalFile, devices }));
  const child = spawn(process.execPath, [MAIN, "--config", file], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "close");
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  const ready = JSON.parse(String(line)) as {
    readonly devices: readonly object[];
    readonly control: { readonly host: string; readonly port: number };
  };
  const end = async (): Promise<void> => {
    child.kill("SIGTERM");
    await ended;
  };
  return {
    ready,
    end,
    hand: async (id: string, body: object): Promise<void> => {
      const { host, port } = ready.control;
      const url = `http://${host}:${port}/devices/${id}`;
      const answer = await fetch(url, { method: "POST", body: JSON.stringify(body) });
      if (!answer.ok) throw new Error(await answer.text());
    },
    journal: () =>
      readFileSync(journalFile, "utf8")
        .trim()
        .split("\n")
        .map((entry): unknown => JSON.parse(entry)),
    [Symbol.asyncDispose]: end,
  };
}
