import t from "tap";
import { load, proveRefused, type RefusedCase, siteText } from "./planted-site.ts";

const BOARD = "  - { id: b-1, profile: meter-x, bus: board, unit: 0 }";
const BOARD_BUS = "  - { id: board, driver: firmata, line: { kind: serial, path: /dev/ttyACM0 } }";

/** A profile of a class on a Firmata board, with one output. */
function onBoard(deviceClass: string, output: string): { readonly site: string; readonly profile: string } {
  return {
    site: siteText(BOARD, BOARD_BUS),
    profile: [
      "id: meter-x",
      "title: A device on pins of a board",
      `class: ${deviceClass}`,
      "driver: firmata",
      "points:",
      output,
      "",
    ].join("\n"),
  };
}

const REST =
  'pollClass: normal, maxAge: 15 s, commandClass: K3, minInterval: 60 s, readBack: { point: siren, tolerance: 0, within: 1 s }, source: "Wiring plan, sheet 2"';
const siren = (access: string): string =>
  `  - { name: siren, type: boolean, access: ${access}, address: { mode: output, pin: 8 }, pulse: 700 ms, ${REST} }`;
const servo = `  - { name: siren, type: number, unit: "%", range: { min: 0, max: 100 }, deadband: 1, access: read-write, address: { mode: ‸servo, pin: 9 }, ${REST} }`;

const STREET_FACING = [
  "barrier",
  "bollard",
  "access-point",
  "segment-cabinet",
  "traffic-cabinet",
  "streetlight",
];

const BOARD_CASES: readonly RefusedCase[] = [
  ...STREET_FACING.map((deviceClass) => ({
    name: `an output of a ${deviceClass} on a Firmata board`,
    ...onBoard(deviceClass, siren("‸read-write")),
    pointers: ["/points/0/access"],
    says: new RegExp(
      `siren, commanded on a ${deviceClass} over firmata.*keeps its pins as they were last set when the gateway dies.*rule 33`,
    ),
  })),
  {
    name: "a servo on a Firmata board",
    ...onBoard("io-board", servo),
    pointers: ["/points/0/address/mode"],
    says: /a servo moves something, and a Firmata board holds its outputs when the gateway dies/,
  },
];

const RTU_BUS = "  - { id: line, driver: modbus, transport: rtu, path: /dev/ttyS0, baud: 9600 }";
const SERVED_BUS =
  "  - { id: line, driver: modbus, transport: rtu-over-tcp, host: 127.0.0.1, port: 4001, baud: 9600 }";
const DOOR_BUS =
  "  - { id: line, driver: serial, dialect: osdp, line: { kind: serial, path: /dev/ttyS0 }, security: { mode: off } }";
const METER = "profile: eastron-sdm630";
const at = (profile: string, unit: string): string => `  - { id: m-1, ${profile}, bus: line, unit: ${unit} }`;

const UNIT_CASES: readonly RefusedCase[] = [
  {
    name: "unit 0, broadcast, on a line of Modbus RTU",
    site: siteText(at(METER, "‸0"), RTU_BUS),
    pointers: ["/devices/0/unit"],
    says: /found 0, expected a unit address from 1 to 247:.*0 is broadcast, which nobody answers/,
  },
  {
    name: "unit 255 on a line of Modbus RTU",
    site: siteText(at(METER, "‸255"), RTU_BUS),
    pointers: ["/devices/0/unit"],
    says: /found 255, expected a unit address from 1 to 247:.*no unit on a serial line has the 255 of Modbus TCP/,
  },
  {
    name: "unit 255 behind a serial device server",
    site: siteText(at(METER, "‸255"), SERVED_BUS),
    pointers: ["/devices/0/unit"],
    says: /no unit on a serial line has the 255/,
  },
  {
    name: "the broadcast address of OSDP",
    site: siteText(at("profile: osdp-door", "‸127"), DOOR_BUS),
    pointers: ["/devices/0/unit"],
    says: /found 127, expected a unit address from 0 to 126/,
  },
  {
    name: "unit 255 on a line of doors",
    site: siteText(at("profile: osdp-door", "‸255"), DOOR_BUS),
    pointers: ["/devices/0/unit"],
    says: /expected a unit address from 0 to 126/,
  },
];

for (const planted of [...BOARD_CASES, ...UNIT_CASES]) proveRefused(t, planted);

t.test("what is refused is the class and the transport, not the output and the number", async (t) => {
  const board = await load(t, onBoard("io-board", siren("read-write")));
  t.equal(board.devices[0]?.points[0]?.definition.name, "siren");
  const owner = await load(t, { site: siteText(at(METER, "255").replace("bus: line", "bus: bridge")) });
  t.equal(owner.devices[0]?.unitAddress, "255");
});
