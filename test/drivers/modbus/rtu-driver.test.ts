import t from "tap";
import { modbusDriver } from "../../../drivers/modbus/modbus-driver.ts";
import { conformance } from "../conformance.ts";
import { openSerialUnit, openServedUnit } from "./modbus-unit.ts";

const rtu = { transport: "rtu", path: "/dev/ttyS0", baud: 19_200 };
const served = { transport: "rtu-over-tcp", host: "10.0.0.1", port: 4_001, baud: 9_600 };
const elsewhere = {
  refusedAddresses: [],
  refusedUnitAddresses: [0, "0", 248, 254, 255, "255"],
  counts: ["refusals", "crcErrors", "shortFrames", "lateReplies", "unexpectedSenders", "noiseBytes"],
} as const;

t.test("Modbus RTU on a serial port conforms", async (t) => {
  let opened = 0;
  const folder = t.testdir({});
  conformance(t, {
    ...elsewhere,
    driver: modbusDriver,
    openUnit: () => {
      opened += 1;
      return openSerialUnit(`${folder}/line-${opened}`);
    },
    refusedBusConfigs: [
      { name: "no path", data: { transport: "rtu", baud: 9_600 }, pointer: "/path" },
      { name: "no device file", data: { ...rtu, path: "ttyS0" }, pointer: "/path" },
      { name: "no speed", data: { transport: "rtu", path: "/dev/ttyS0" }, pointer: "/baud" },
      { name: "speed as text", data: { ...rtu, baud: "9600" }, pointer: "/baud" },
      { name: "speed 0", data: { ...rtu, baud: 0 }, pointer: "/baud" },
      { name: "unknown parity", data: { ...rtu, parity: "E" }, pointer: "/parity" },
      { name: "seven and a half bits", data: { ...rtu, dataBits: 7.5 }, pointer: "/dataBits" },
      { name: "three stop bits", data: { ...rtu, stopBits: 3 }, pointer: "/stopBits" },
      { name: "a host on a port", data: { ...rtu, host: "10.0.0.1" }, pointer: "/host" },
      { name: "gap", data: { ...rtu, gapRegisters: 125 }, pointer: "/gapRegisters" },
    ],
  });
});

t.test("Modbus RTU behind a serial device server conforms", async (t) => {
  conformance(t, {
    ...elsewhere,
    driver: modbusDriver,
    openUnit: openServedUnit,
    refusedBusConfigs: [
      { name: "no port", data: { ...served, port: undefined }, pointer: "/port" },
      { name: "no speed of the wire behind", data: { ...served, baud: undefined }, pointer: "/baud" },
      { name: "a path", data: { ...served, path: "/dev/ttyS0" }, pointer: "/path" },
      { name: "time without unit", data: { ...served, connectTimeout: 3_000 }, pointer: "/connectTimeout" },
    ],
  });
});
