import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { machineClock } from "../../simulators/clock.ts";
import { openModbusTcpServer } from "../../simulators/modbus/modbus-tcp-server.ts";
import type { RegisterBank } from "../../simulators/modbus/register-bank.ts";

/**
 * A unit whose registers change by a known share each 100 ms: `node changing-slave.ts <registers> <share>`.
 * A changed register moves by 100 counts, far past the deadband of 10; the others move by 1, inside it.
 */
const registers = Number(process.argv[2]);
const share = Number(process.argv[3]);
const INTERVAL_MS = 100;
const values = new Uint16Array(registers);
const changesPerTick = Math.round(registers * share);
let next = 0;
let tick = 0;

setInterval(() => {
  tick += 1;
  const sway = tick % 2 === 0 ? 1 : -1;
  for (let index = 0; index < registers; index += 1) values[index] = ((values[index] ?? 0) + sway) & 0x7fff;
  for (let count = 0; count < changesPerTick; count += 1) {
    values[next] = ((values[next] ?? 0) + 100) & 0x7fff;
    next = (next + 1) % registers;
  }
}, INTERVAL_MS);

const bank: RegisterBank = { readHolding: (address, count) => values.subarray(address, address + count) };
const server = await openModbusTcpServer({
  host: "127.0.0.1",
  port: 0,
  units: new Map([[1, bank]]),
  clock: machineClock,
});
const figures = createServer((_request, response) =>
  response.end(JSON.stringify({ requests: server.requestCount })),
);
figures.listen(0, "127.0.0.1", () => {
  const figuresPort = (figures.address() as AddressInfo).port;
  process.stdout.write(`${JSON.stringify({ event: "ready", ...server.address, figuresPort })}\n`);
});
process.once("SIGTERM", () => process.exit(0));
