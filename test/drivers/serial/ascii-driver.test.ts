import pino from "pino";
import t from "tap";
import type { PointDefinition } from "../../../domain/point.ts";
import { Millis } from "../../../domain/time.ts";
import { NO_HOLES } from "../../../drivers/driver.ts";
import { serialDriver } from "../../../drivers/serial/serial-driver.ts";
import { machineClock } from "../../../simulators/clock.ts";
import { Journal } from "../../../simulators/journal.ts";
import { PeopleCounter } from "../../../simulators/serial/people-counter.ts";
import { CheckedLines, checkedLine } from "../../../simulators/serial/text-device.ts";
import { conformance } from "../conformance.ts";
import type { SimulatedUnit } from "../conformance-line.ts";
import { CountingClock } from "../counting-clock.ts";
import { HeldPeer } from "../held-peer.ts";
import { point } from "../modbus/modbus-unit.ts";

const UNIT = 7;
const DIALECT = {
  dialect: "ascii",
  framing: { end: "\\r\\n", checksum: "xor-hex" },
  refused: "?{unit:02}",
};
const text = (name: string, address: object, rest: Partial<PointDefinition> = {}) =>
  point(name, { ...DIALECT, ...address }, rest);
const total = (name: string, answer: string) => text(name, { ask: "#{unit:02}R*", answer });
const PEOPLE_IN = total("people-in", "!{unit:02},IN={value},OUT={skip},C={skip}*");
const PEOPLE_OUT = total("people-out", "!{unit:02},IN={skip},OUT={value},C={skip}*");
const SENSITIVITY = text(
  "sensitivity",
  {
    ask: "#{unit:02}S?*",
    answer: "!{unit:02},S={value}*",
    tell: "#{unit:02}S={value:.0}*",
    done: "!{unit:02},OK*",
  },
  { access: "read-write" },
);

t.test("conformance of a declared text dialect", async (t) => {
  conformance(t, {
    driver: serialDriver,
    refusedBusConfigs: [
      { name: "an unknown dialect", data: { dialect: "nmea" }, pointer: "/dialect" },
      { name: "no line", data: { dialect: "ascii" }, pointer: "/line" },
      { name: "a long rest", data: { dialect: "ascii", line: {}, rest: "2 s" }, pointer: "/rest" },
    ],
    refusedAddresses: [
      {
        name: "no framing",
        data: { dialect: "ascii", ask: "A", answer: "{value}" },
        pointer: "/framing",
        point: { type: "number", access: "read" },
      },
      {
        name: "two ends",
        data: { dialect: "ascii", framing: { end: "\\r", length: 4 } },
        pointer: "/framing",
        point: { type: "number", access: "read" },
      },
      {
        name: "no question",
        data: { ...DIALECT, answer: "{value}" },
        pointer: "/ask",
        point: { type: "number", access: "read" },
      },
      {
        name: "an answer without a value",
        data: { ...DIALECT, ask: "A", answer: "B" },
        pointer: "/answer",
        point: { type: "number", access: "read" },
      },
      {
        name: "a gap that is none",
        data: { ...DIALECT, ask: "A{u}", answer: "{value}" },
        pointer: "/ask",
        point: { type: "number", access: "read" },
      },
      {
        name: "a write without its acknowledgement",
        data: { ...DIALECT, ask: "A", answer: "{value}", tell: "B{value}" },
        pointer: "/done",
        point: { type: "number", access: "read-write" },
      },
    ],
    refusedUnitAddresses: [127, 255, "x", null],
    counts: ["refusals", "crcErrors", "shortFrames", "lateReplies", "unexpectedSenders", "noiseBytes"],
    openUnit: openCounter,
  });
});

t.test("where a dialect has no checksum, nobody tells that none was wrong", async (t) => {
  await using unit = await openCounter();
  const config = serialDriver.parseBusConfig(unit.busConfig);
  const context = {
    clock: new CountingClock(),
    logger: pino({ enabled: false }),
    requestTimeout: Millis(50),
    frames: () => {},
  };
  const { signal } = new AbortController();
  await using bus = await serialDriver.openBus(config, context, signal);
  const framing = { end: "\\r\\n" };
  const bare = text("people-in", { framing, ask: "#{unit:02}R*", answer: "{value}" });
  const session = bus.openSession(String(UNIT), []);
  const read = async (definition: PointDefinition) => {
    const address = serialDriver.parseAddress(definition.address, definition);
    const [exchange] = session.plan([{ ...definition, address }], NO_HOLES);
    if (exchange !== undefined) await session.exchange(exchange, signal);
  };
  await t.rejects(read(bare), { code: "timeout" });
  t.match(bus.health?.(), { silences: 1, crcErrors: undefined });
  await read(PEOPLE_IN);
  t.match(bus.health?.(), { answers: 1, crcErrors: 0 });
});

/** A people counter behind a serial device server, whose answers can be held back. */
async function openCounter(): Promise<SimulatedUnit> {
  const journal = new Journal({ clock: machineClock });
  const around = { id: "counter-1", seed: 1, journal, clock: machineClock };
  const counter = new PeopleCounter(around, { address: UNIT, in: 123, out: 45 });
  const peer = await HeldPeer.open(
    ({ answer }) => {
      const lines = new CheckedLines();
      return (bytes) => {
        for (const asked of lines.feed(bytes)) {
          const told = counter.answer(asked);
          if (told !== undefined) answer(checkedLine(told));
        }
      };
    },
    (line) => Buffer.concat([Buffer.from("~"), line]),
  );
  return {
    busConfig: { dialect: "ascii", line: { kind: "tcp", host: "127.0.0.1", port: peer.port, baud: 115_200 } },
    unitAddress: UNIT,
    points: [
      { definition: PEOPLE_IN, value: 123 },
      { definition: PEOPLE_OUT, value: 45 },
      { definition: SENSITIVITY, value: 70 },
    ],
    unknown: text("no-such", { ask: "#{unit:02}X*", answer: "{value}*" }),
    writable: { definition: SENSITIVITY, value: 55 },
    refused: { definition: SENSITIVITY, value: 5 },
    ...peer.trouble,
  };
}
