import t from "tap";
import { modbusDriver } from "../../../drivers/modbus/modbus-driver.ts";
import { loadDriver } from "../../../drivers/registry.ts";
import { conformance } from "../conformance.ts";
import { openPlainUnit } from "./modbus-unit.ts";

const number = { type: "number", access: "read" } as const;
const command = { type: "number", access: "read-write" } as const;
const boolean = { type: "boolean", access: "read" } as const;

t.test("the registry loads the driver under its name", async (t) => {
  t.equal(await loadDriver("modbus"), modbusDriver);
  t.equal(modbusDriver.name, "modbus");
});

t.test("Modbus conforms", async (t) => {
  const host = "127.0.0.1";
  conformance(t, {
    driver: modbusDriver,
    openUnit: openPlainUnit,
    refusedBusConfigs: [
      { name: "no mapping", data: "10.0.0.5:502", pointer: "" },
      { name: "no transport", data: { host }, pointer: "/transport" },
      { name: "unknown transport", data: { transport: "udp", host }, pointer: "/transport" },
      { name: "no host", data: { transport: "tcp" }, pointer: "/host" },
      { name: "empty host", data: { transport: "tcp", host: " " }, pointer: "/host" },
      { name: "port 0", data: { transport: "tcp", host, port: 0 }, pointer: "/port" },
      { name: "port 65536", data: { transport: "tcp", host, port: 65_536 }, pointer: "/port" },
      { name: "port as text", data: { transport: "tcp", host, port: "502" }, pointer: "/port" },
      { name: "unknown key", data: { transport: "tcp", hots: host }, pointer: "/hots" },
      { name: "key to escape", data: { transport: "tcp", host, "a/b~": 1 }, pointer: "/a~1b~0" },
      {
        name: "time without unit",
        data: { transport: "tcp", host, requestTimeout: 500 },
        pointer: "/requestTimeout",
      },
      {
        name: "time too short",
        data: { transport: "tcp", host, requestTimeout: "1 ms" },
        pointer: "/requestTimeout",
      },
      {
        name: "time too long",
        data: { transport: "tcp", host, connectTimeout: "2 h" },
        pointer: "/connectTimeout",
      },
      { name: "gap", data: { transport: "tcp", host, gapRegisters: 125 }, pointer: "/gapRegisters" },
      { name: "gap of bits", data: { transport: "tcp", host, gapBits: -1 }, pointer: "/gapBits" },
    ],
    refusedUnitAddresses: [0, "0", 248, 254, 256, -1, 1.5, "one", "", null, undefined, {}, "1 "],
    refusedAddresses: [
      { name: "no mapping", point: number, data: 40_001, pointer: "" },
      { name: "no table", point: number, data: { register: 1 }, pointer: "/table" },
      { name: "unknown table", point: number, data: { table: "register", register: 1 }, pointer: "/table" },
      { name: "no register", point: number, data: { table: "holding" }, pointer: "/register" },
      {
        name: "register 65536",
        point: number,
        data: { table: "holding", register: 65_536 },
        pointer: "/register",
      },
      { name: "register -1", point: number, data: { table: "holding", register: -1 }, pointer: "/register" },
      {
        name: "register 1.5",
        point: number,
        data: { table: "holding", register: 1.5 },
        pointer: "/register",
      },
      {
        name: "unresolved form",
        point: number,
        data: { table: "holding", register: "7000*channel" },
        pointer: "/register",
      },
      {
        name: "past the end",
        point: number,
        data: { table: "holding", register: 65_535, coding: "u32" },
        pointer: "/register",
      },
      {
        name: "unknown coding",
        point: number,
        data: { table: "holding", register: 1, coding: "int" },
        pointer: "/coding",
      },
      {
        name: "unknown key",
        point: number,
        data: { table: "holding", register: 1, words: 2 },
        pointer: "/words",
      },
      {
        name: "number from text",
        point: number,
        data: { table: "holding", register: 1, coding: "text", registers: 2 },
        pointer: "/coding",
      },
      {
        name: "text without length",
        point: { type: "text", access: "read" },
        data: { table: "holding", register: 1 },
        pointer: "/registers",
      },
      {
        name: "text too long",
        point: { type: "text", access: "read" },
        data: { table: "holding", register: 1, registers: 126 },
        pointer: "/registers",
      },
      {
        name: "text too long to write",
        point: { type: "text", access: "read-write" },
        data: { table: "holding", register: 1, registers: 124 },
        pointer: "/registers",
      },
      {
        name: "length of a number",
        point: number,
        data: { table: "holding", register: 1, registers: 2 },
        pointer: "/registers",
      },
      {
        name: "order of one word",
        point: number,
        data: { table: "holding", register: 1, wordOrder: "little" },
        pointer: "/wordOrder",
      },
      {
        name: "unknown order",
        point: number,
        data: { table: "holding", register: 1, coding: "u32", wordOrder: "swapped" },
        pointer: "/wordOrder",
      },
      { name: "number from a coil", point: number, data: { table: "coil", register: 1 }, pointer: "/table" },
      {
        name: "coding of a coil",
        point: boolean,
        data: { table: "coil", register: 1, coding: "u16" },
        pointer: "/coding",
      },
      { name: "write to an input", point: command, data: { table: "input", register: 1 }, pointer: "/table" },
      {
        name: "write to a discrete input",
        point: { type: "boolean", access: "write" },
        data: { table: "discrete", register: 1 },
        pointer: "/table",
      },
      {
        name: "write to one bit",
        point: { type: "boolean", access: "read-write" },
        data: { table: "holding", register: 1, bit: 3 },
        pointer: "/bit",
      },
      {
        name: "write to a bit field",
        point: command,
        data: { table: "holding", register: 1, bits: { shift: 4, width: 4 } },
        pointer: "/bits",
      },
      { name: "bit 16", point: boolean, data: { table: "holding", register: 1, bit: 16 }, pointer: "/bit" },
      {
        name: "field past bit 15",
        point: number,
        data: { table: "holding", register: 1, bits: { shift: 12, width: 5 } },
        pointer: "/bits/width",
      },
      {
        name: "wide boolean",
        point: boolean,
        data: { table: "holding", register: 1, bits: { shift: 1, width: 2 } },
        pointer: "/bits",
      },
      {
        name: "bit and bits",
        point: boolean,
        data: { table: "holding", register: 1, bit: 1, bits: { shift: 1, width: 1 } },
        pointer: "/bits",
      },
      {
        name: "bit of a u32",
        point: number,
        data: { table: "holding", register: 1, coding: "u32", bit: 1 },
        pointer: "/bit",
      },
      {
        name: "boolean of a float",
        point: boolean,
        data: { table: "holding", register: 1, coding: "float32" },
        pointer: "/coding",
      },
      {
        name: "function 5 for a register",
        point: command,
        data: { table: "holding", register: 1, writeFunction: 5 },
        pointer: "/writeFunction",
      },
      {
        name: "function 6 for two registers",
        point: command,
        data: { table: "holding", register: 1, coding: "u32", writeFunction: 6 },
        pointer: "/writeFunction",
      },
      {
        name: "function 16 for a coil",
        point: { type: "boolean", access: "write" },
        data: { table: "coil", register: 1, writeFunction: 16 },
        pointer: "/writeFunction",
      },
      {
        name: "function 22",
        point: command,
        data: { table: "holding", register: 1, writeFunction: 22 },
        pointer: "/writeFunction",
      },
      {
        name: "write function of a read point",
        point: number,
        data: { table: "holding", register: 1, writeFunction: 6 },
        pointer: "/writeFunction",
      },
      {
        name: "order to an input register",
        point: command,
        data: { table: "input", register: 1 },
        pointer: "/table",
      },
      {
        name: "coil of a read point",
        point: boolean,
        data: { table: "input", register: 1, bit: 3, writeCoil: 3 },
        pointer: "/writeCoil",
      },
      {
        name: "coil of a number",
        point: command,
        data: { table: "input", register: 1, writeCoil: 3 },
        pointer: "/writeCoil",
      },
      {
        name: "coil beside a coil",
        point: { type: "boolean", access: "read-write" },
        data: { table: "coil", register: 1, writeCoil: 3 },
        pointer: "/writeCoil",
      },
      {
        name: "coil and register",
        point: { type: "boolean", access: "read-write" },
        data: { table: "input", register: 1, bit: 3, writeCoil: 3, writeRegister: 1 },
        pointer: "/writeCoil",
      },
      {
        name: "write register of a read point",
        point: number,
        data: { table: "holding", register: 1, writeRegister: 2 },
        pointer: "/writeRegister",
      },
    ],
  });
});
