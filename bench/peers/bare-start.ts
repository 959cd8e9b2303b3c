import { readFileSync } from "node:fs";
import Database from "better-sqlite3";
import Modbus from "modbus-serial";
import { Client } from "pg";
import { z } from "zod";

/**
 * The least that a start of the city asks of the libraries under it: each lamp, cabinet and meter is read once, and as many
 * values as the city has are written to a SQLite file, durable every hundred, and to PostgreSQL, five thousand a statement.
 * `node bare-start.ts <config.json>` prints how long each took and its own CPU.
 */
const config = z
  .object({
    cabinets: z.array(
      z.object({
        port: z.number(),
        units: z.object({ bridge: z.number(), controller: z.number(), meter: z.number() }),
        shortAddresses: z.array(z.number()),
      }),
    ),
    values: z.number(),
    sqliteFile: z.string(),
    postgres: z.string(),
  })
  .parse(JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")));

const REGISTERS_A_LAMP = 11;
const FIRST_OF_LAMP = 15;
const ROWS_A_COMMIT = 100;
const ROWS_A_STATEMENT = 5_000;

const before = process.cpuUsage();
const readMs = await timed(readAll);
const sqliteMs = await timed(writeSqlite);
const postgresMs = await timed(writePostgres);
const used = process.cpuUsage(before);
process.stdout.write(
  `${JSON.stringify({ event: "ready", readMs, sqliteMs, postgresMs, cpuSeconds: (used.user + used.system) / 1e6 })}\n`,
);
// The one who asks reads the CPU of others before we go.
await new Promise((resolve) => process.once("SIGTERM", resolve));
process.exit(0);

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return Math.round(performance.now() - start);
}

/** Two cabinets at a time: both cores have work. */
async function readAll(): Promise<void> {
  const waiting = [...config.cabinets];
  const one = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await readCabinet(next);
  };
  await Promise.all([one(), one()]);
}

async function readCabinet({ port, units, shortAddresses }: (typeof config.cabinets)[number]): Promise<void> {
  const client = new Modbus.default();
  await client.connectTCP("127.0.0.1", { port });
  client.setTimeout(5_000);
  client.setID(units.bridge);
  for (const address of shortAddresses)
    await client.readHoldingRegisters(100 * address + FIRST_OF_LAMP, REGISTERS_A_LAMP);
  client.setID(units.controller);
  await client.readInputRegisters(0, 10);
  client.setID(units.meter);
  await client.readInputRegisters(0, 60);
  await new Promise((resolve) => client.close(resolve));
}

async function writeSqlite(): Promise<void> {
  const db = new Database(config.sqliteFile);
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.exec(
    "create table readings (id integer primary key, point integer, value real, at integer, quality integer) strict",
  );
  db.exec("create index readings_by_point on readings (point, at)");
  const insert = db.prepare("insert into readings (point, value, at, quality) values (?, ?, ?, ?)");
  const commit = db.transaction((first: number) => {
    for (let row = first; row < first + ROWS_A_COMMIT; row += 1) insert.run(row, row * 1.5, row, 0);
  });
  for (let first = 0; first < config.values; first += ROWS_A_COMMIT) commit(first);
  db.close();
}

async function writePostgres(): Promise<void> {
  const client = new Client({ connectionString: config.postgres });
  await client.connect();
  await client.query(
    "create table readings (id bigint generated always as identity primary key, point int, value float8, at int8, quality int2)",
  );
  await client.query("create index on readings (point, at)");
  const text =
    "insert into readings (point, value, at, quality) select * from unnest($1::int[], $2::float8[], $3::int8[], $4::int2[])";
  for (let first = 0; first < config.values; first += ROWS_A_STATEMENT) {
    const rows = Array.from({ length: ROWS_A_STATEMENT }, (_, index) => first + index);
    const values = [rows, rows.map((row) => row * 1.5), rows, rows.map(() => 0)];
    await client.query({ name: "write", text, values });
  }
  await client.end();
}
