import Modbus from "modbus-serial";

/**
 * The least a program can do to command a lamp and know it: write the level, read it back until it agrees.
 * `node bare-command.ts <port> <unit> <count>` prints the milliseconds of each.
 */
const port = Number(process.argv[2]);
const unit = Number(process.argv[3]);
const count = Number(process.argv[4]);
/** Intesis INMBSDAL: arc power level and actual level of short address 0. */
const LEVEL = 15;
const ACTUAL = 6;
const LEVELS = [40, 80] as const;

const client = new Modbus.default();
await client.connectTCP("127.0.0.1", { port });
client.setID(unit);
client.setTimeout(2_000);
const tookMs: number[] = [];
for (let index = 0; index < count; index += 1) {
  const level = LEVELS[index % 2] ?? 40;
  const start = performance.now();
  await client.writeRegister(LEVEL, level);
  for (let seen = Number.NaN; Math.abs(seen - level) > 1 || Number.isNaN(seen); ) {
    seen = (await client.readHoldingRegisters(ACTUAL, 1)).data[0] ?? Number.NaN;
  }
  tookMs.push(performance.now() - start);
}
process.stdout.write(`${JSON.stringify({ event: "ready", tookMs })}\n`);
process.exit(0);
