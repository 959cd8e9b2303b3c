import Modbus from "modbus-serial";

/**
 * The least a program can do with modbus-serial: read the same blocks at the same interval and throw them away.
 * `node bare-loop.ts <port> <registers> <seconds>` prints its own CPU and the points it read.
 */
const port = Number(process.argv[2]);
const registers = Number(process.argv[3]);
const seconds = Number(process.argv[4]);
const BLOCK = 125;
const INTERVAL_MS = 100;

const client = new Modbus.default();
await client.connectTCP("127.0.0.1", { port });
client.setID(1);
client.setTimeout(2_000);
await sweep();
const before = process.cpuUsage();
let points = 0;
const end = performance.now() + seconds * 1_000;
for (let due = performance.now(); due < end; due += INTERVAL_MS) {
  const wait = due - performance.now();
  if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
  points += await sweep();
}
const used = process.cpuUsage(before);
process.stdout.write(
  `${JSON.stringify({ event: "ready", cpuSeconds: (used.user + used.system) / 1e6, points })}\n`,
);
process.exit(0);

async function sweep(): Promise<number> {
  let read = 0;
  for (let first = 0; first < registers; first += BLOCK) {
    const answer = await client.readHoldingRegisters(first, Math.min(BLOCK, registers - first));
    read += answer.data.length;
  }
  return read;
}
