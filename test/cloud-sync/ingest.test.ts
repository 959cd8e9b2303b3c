import t from "tap";
import { Instant } from "../../domain/time.ts";
import {
  CATALOGUE,
  enrolGateway,
  newIncarnation,
  openTestCenter,
  pointsEntry,
  reading,
  recordEntry,
  rowsOf,
  sha256,
  type TestCenter,
} from "./center-for-tests.ts";

const stamp = { tWall: Date.UTC(2026, 5, 1), tMono: 2_000, tq: "unset" };
const audit = (action: string) => ({ kind: "audit", action, actor: "gateway", detail: "" });

async function begun(
  t: Parameters<typeof openTestCenter>[0],
  options?: Parameters<typeof openTestCenter>[1],
) {
  const center = await openTestCenter(t, options);
  const gateway = await enrolGateway(center);
  await gateway.begin();
  return { center, gateway };
}

/** Every sequence of every stored reading, counted. */
async function sequencesOf(center: TestCenter): Promise<readonly unknown[]> {
  const rows = await rowsOf(center.database, "select seq from readings order by seq");
  return rows.map((row) => row["seq"]);
}

async function stateOf(center: TestCenter, pointId: string): Promise<unknown> {
  const rows = await rowsOf(
    center.database,
    `select value_number from point_states join points using (point_no) where point_id = '${pointId}'`,
  );
  return rows[0]?.["value_number"];
}

/** `count` readings from `first` on, each its own state version. */
const series = (first: number, count: number) =>
  Array.from({ length: count }, (_, index) => reading({ stateVersion: first + index, value: first + index }));

t.test("I4 a batch that comes again after a lost answer is told as duplicate and stored once", async (t) => {
  const { center, gateway } = await begun(t);
  const batch = gateway.readings(1, series(1, 5));
  t.match((await gateway.send(batch)).data, { outcomes: [{ first: 1, count: 5, outcome: "stored" }] });
  t.match((await gateway.send(batch)).data, { outcomes: [{ first: 1, count: 5, outcome: "duplicate" }] });
  const both = await Promise.all([
    gateway.send(gateway.readings(6, series(6, 2))),
    gateway.send(gateway.readings(6, series(6, 2))),
  ]);
  t.same(both.map((answer) => answer.data.outcomes[0].outcome).sort(), ["duplicate", "stored"]);
  t.strictSame(await sequencesOf(center), [1, 2, 3, 4, 5, 6, 7]);
});

t.test("I2 batches in any order leave each sequence once, and WELCOME tells the ranges", async (t) => {
  const { center, gateway } = await begun(t);
  for (const first of [21, 1, 11, 21, 41]) await gateway.send(gateway.readings(first, series(first, 10)));
  t.equal(new Set(await sequencesOf(center)).size, 40);
  t.equal((await sequencesOf(center)).length, 40);
  const welcome = await gateway.hello();
  t.match(welcome.data.cursors, [
    {
      incarnation: gateway.incarnation,
      lane: "C",
      ranges: [
        { first: 1, count: 30 },
        { first: 41, count: 10 },
      ],
    },
  ]);
});

t.test("I3 one record id with two contents goes to quarantine, alarms, and the first stays", async (t) => {
  const { center, gateway } = await begun(t);
  await gateway.send(gateway.readings(1, [reading({ value: 10 })]));
  const answer = await gateway.send(gateway.readings(1, [reading({ value: 99, stateVersion: 9 })]));
  t.match(answer.data.outcomes, [{ first: 1, count: 1, outcome: "quarantined", cause: "content-differs" }]);
  t.equal(await stateOf(center, "lamp-1/dim-level"), 10);
  t.match(await rowsOf(center.database, "select name from center_alarms order by name"), [
    { name: "record-content-differs" },
    { name: "records-quarantined" },
  ]);
  t.match(await rowsOf(center.database, "select cause from quarantine"), [{ cause: "content-differs" }]);
});

t.test("I12 a poisoned entry at each place costs only its own records", async (t) => {
  const { center, gateway } = await begun(t);
  for (const place of [0, 1, 2, 3]) {
    const base = place * 100;
    const ranges = [1, 11, 21, 31].map((first) => ({ first: base + first, count: 10 }));
    const frames = ranges.map(({ first }) =>
      Buffer.from(pointsEntry(gateway.incarnation, first, series(first, 10))),
    );
    const poisoned = frames[place];
    if (poisoned !== undefined) poisoned[60] = (poisoned[60] ?? 0) ^ 0x10;
    const answer = await gateway.send(gateway.batch(frames, ranges));
    const bad = answer.data.outcomes.filter((each: { outcome: string }) => each.outcome === "quarantined");
    t.strictSame(bad, [{ ...ranges[place], outcome: "quarantined", cause: "bad-crc" }], `at ${place}`);
  }
  t.equal((await sequencesOf(center)).length, 120);
  const held = await rowsOf(
    center.database,
    "select cause, ranges::text, octet_length(bytes) as size from quarantine",
  );
  t.equal(held.length, 4, "bytes and cause are kept");
  t.ok(held.every((row) => Number(row["size"]) > 100));
  const cursor = await rowsOf(center.database, "select ranges::text from cursors");
  t.match(cursor, [{ ranges: "{[1,41),[101,141),[201,241),[301,341)}" }], "and their ids are consumed");
});

t.test("I2 a flipped bit in the sequence of a broken frame consumes no other record's id", async (t) => {
  const { center, gateway } = await begun(t);
  const ranges = [
    { first: 1, count: 2 },
    { first: 3, count: 2 },
  ];
  const frames = ranges.map(({ first, count }) =>
    Buffer.from(pointsEntry(gateway.incarnation, first, series(first, count))),
  );
  frames[1]?.writeBigUInt64LE(900n, 24);
  const answer = await gateway.send(gateway.batch(frames, ranges));
  t.strictSame(answer.data.outcomes, [
    { first: 1, count: 2, outcome: "stored" },
    { first: 3, count: 2, outcome: "quarantined", cause: "bad-crc" },
  ]);
  t.match(await rowsOf(center.database, "select ranges::text from cursors"), [{ ranges: "{[1,5)}" }]);
});

t.test("I12 single readings that can not be taken are quarantined, their neighbours stored", async (t) => {
  const { center, gateway } = await begun(t);
  const answer = await gateway.send(
    gateway.readings(1, [
      reading({ stateVersion: 1 }),
      reading({ number: 777, stateVersion: 2 }),
      reading({ stateVersion: 3, value: "forty" }),
      reading({ stateVersion: 4, value: Number.POSITIVE_INFINITY }),
      reading({ number: 10, stateVersion: 5, value: "nul \0 inside" }),
      reading({ stateVersion: 7 }),
    ]),
  );
  t.strictSame(answer.data.outcomes, [
    { first: 1, count: 1, outcome: "stored" },
    { first: 2, count: 1, outcome: "quarantined", cause: "unknown-point" },
    { first: 3, count: 1, outcome: "quarantined", cause: "wrong-type" },
    { first: 4, count: 2, outcome: "quarantined", cause: "not-storable" },
    { first: 6, count: 1, outcome: "stored" },
  ]);
  t.strictSame(await sequencesOf(center), [1, 6]);
});

t.test("I12 what only the database refuses costs its own entry, and comes to quarantine", async (t) => {
  const refuse = {
    async take(
      tx: { query: TestCenter["database"]["query"] },
      told: readonly { readonly commandId: string }[],
    ) {
      const divisor = told.some((each) => each.commandId === "poison") ? 0 : 1;
      await tx.query({ name: "test-divide", text: "select 1 / $1::int" }, [divisor]);
    },
  };
  const { center, gateway } = await begun(t, { verdicts: refuse });
  const frames = ["one", "poison", "three"].map((commandId, index) =>
    recordEntry(gateway.incarnation, "A", index + 1, command(commandId, "0".repeat(64))),
  );
  const ranges = [1, 2, 3].map((first) => ({ first, count: 1 }));
  const answer = await gateway.send(gateway.batch(frames, ranges, { lane: "A" }));
  t.match(answer.data.outcomes, [
    { outcome: "stored" },
    { outcome: "quarantined", cause: "not-storable" },
    { outcome: "stored" },
  ]);
  t.match(await rowsOf(center.database, "select command_id from evidence order by seq"), [
    { command_id: "one" },
    { command_id: "three" },
  ]);
});

function command(commandId: string, previousHash: string) {
  const state = { name: "succeeded", evidence: {} };
  const body = { kind: "command", commandId, pointId: "lamp-1/dim-level", value: 40, commandClass: "K1" };
  return {
    ...stamp,
    previousHash,
    body: { ...body, origin: "center", issuedBy: "operator/anna", session: "1.1", state },
  };
}

t.test("I4 evidence reaches the verdict sink once, in order, with its record id", async (t) => {
  const { center, gateway } = await begun(t);
  const first = command("one", "0".repeat(64));
  const second = command("two", sha256(JSON.stringify(first)));
  const frames = [first, second].map((each, index) => recordEntry(gateway.incarnation, "A", index + 1, each));
  const batch = gateway.batch(
    frames,
    [
      { first: 1, count: 1 },
      { first: 2, count: 1 },
    ],
    { lane: "A" },
  );
  for (const _ of [1, 2]) await gateway.send(batch);
  t.match(center.verdicts, [
    { commandId: "one", gatewayId: "gw-test", recordId: `gw-test/${gateway.incarnation}/A/1` },
    { commandId: "two", state: { name: "succeeded" }, session: "1.1" },
  ]);
  t.equal(center.verdicts.length, 2);
});

t.test(
  "I13 I38 a broken evidence chain is stored, marked and alarmed; a parent's end continues it",
  async (t) => {
    const { center, gateway } = await begun(t);
    const send = (sequence: number, record: object) =>
      gateway.send(
        gateway.batch(
          [recordEntry(gateway.incarnation, "A", sequence, record)],
          [{ first: sequence, count: 1 }],
          { lane: "A" },
        ),
      );
    const first = { ...stamp, previousHash: "0".repeat(64), body: audit("gateway-started") };
    const second = { ...stamp, previousHash: sha256(JSON.stringify(first)), body: audit("link-up") };
    const third = { ...stamp, previousHash: sha256(JSON.stringify(second)), body: audit("link-up") };
    // The third comes before the second: it waits to be judged.
    for (const [sequence, record] of [
      [1, first],
      [3, third],
      [2, second],
    ] as const)
      await send(sequence, record);
    const chains = () => rowsOf(center.database, "select chain from evidence order by incarnation_no, seq");
    t.match(await chains(), [{ chain: "good" }, { chain: "good" }, { chain: "good" }]);
    gateway.restart({ A: 3, B: 0, C: 0, D: 0 });
    await gateway.begin();
    await send(1, { ...stamp, previousHash: sha256(JSON.stringify(third)), body: audit("gateway-started") });
    await send(2, { ...stamp, previousHash: "f".repeat(64), body: audit("bent") });
    t.match((await chains()).slice(3), [{ chain: "good" }, { chain: "broken" }]);
    t.match(await rowsOf(center.database, "select name from center_alarms"), [
      { name: "evidence-chain-broken" },
    ]);
  },
);

t.test("I8 current state never moves to an older version, whatever comes when", async (t) => {
  const { center, gateway } = await begun(t);
  const now = () => stateOf(center, "lamp-1/dim-level");
  const states: unknown[] = [];
  const tell = async (batch: Uint8Array) => {
    await gateway.send(batch);
    states.push(await now());
  };
  await tell(gateway.readings(11, [reading({ stateVersion: 20, value: 20 })]));
  await tell(
    gateway.readings(1, [
      reading({ stateVersion: 10, value: 10, gatewayTimestamp: Instant(Date.UTC(2030, 0, 1)) }),
    ]),
  );
  await tell(gateway.readings(2, [reading({ stateVersion: 30, value: 30 })], { history: "history" }));
  await gateway.snapshot([reading({ stateVersion: 15, value: 15 })]);
  states.push(await now());
  await gateway.snapshot([reading({ stateVersion: 40, value: 41 })]);
  states.push(await now());
  const older = gateway.incarnation;
  gateway.restart();
  await gateway.begin();
  await tell(gateway.readings(1, [reading({ stateVersion: 1, value: 1 })]));
  await tell(gateway.readings(50, [reading({ stateVersion: 99, value: 99 })], { incarnation: older }));
  t.strictSame(states, [20, 20, 20, 20, 41, 1, 1]);
  t.equal((await sequencesOf(center)).length, 5, "a snapshot is no history");
});

t.test(
  "I4 a database lost within the transaction leaves nothing of the batch, and the repeat is stored whole",
  async (t) => {
    let calls = 0;
    const lost = {
      async take(tx: { query: TestCenter["database"]["query"] }) {
        calls += 1;
        if (calls > 1) return;
        await tx.query({ name: "test-lose", text: "select pg_terminate_backend(pg_backend_pid())" }, []);
      },
    };
    const { center, gateway } = await begun(t, { verdicts: lost });
    const frame = recordEntry(gateway.incarnation, "A", 1, command("one", "0".repeat(64)));
    const batch = gateway.batch([frame], [{ first: 1, count: 1 }], { lane: "A" });
    t.match(await gateway.send(batch), { status: 503, data: { error: { code: "unavailable" } } });
    for (const table of ["evidence", "cursors", "entry_digests", "quarantine"]) {
      t.strictSame(await rowsOf(center.database, `select * from ${table}`), [], table);
    }
    t.match((await gateway.send(batch)).data, { outcomes: [{ outcome: "stored" }] });
  },
);

t.test("an unknown incarnation is asked to say HELLO, and nothing is stored", async (t) => {
  const { center, gateway } = await begun(t);
  const answer = await gateway.send(gateway.readings(1, [reading()], { incarnation: newIncarnation() }));
  t.match(answer.data, { refusal: "rehello" });
  t.strictSame(await sequencesOf(center), []);
});

t.test(
  "a changed catalogue is asked for before its points are taken, and retired points keep their history",
  async (t) => {
    const { center, gateway } = await begun(t);
    await gateway.send(gateway.readings(1, [reading({ number: 2 })]));
    await gateway.hello({ catalogueHash: "e".repeat(64) });
    t.match((await gateway.send(gateway.readings(2, [reading()]))).data, { refusal: "unknown-catalogue" });
    t.match((await gateway.snapshot([reading()])).data, { error: { code: "rehello" } });
    const [kind] = CATALOGUE.kinds;
    const [device] = CATALOGUE.devices;
    if (kind === undefined || device === undefined) throw new Error("no device");
    const fewer = {
      ...CATALOGUE,
      kinds: [{ ...kind, points: kind.points.filter((_, place) => place !== 1) }],
      devices: [{ ...device, numbers: device.numbers.filter((number) => number !== 2) }],
      retired: [{ pointId: "lamp-1/value-1", number: 2 }],
    };
    t.equal((await gateway.tellCatalogue(fewer)).status, 200);
    t.match((await gateway.send(gateway.readings(2, [reading({ number: 2, stateVersion: 2 })]))).data, {
      outcomes: [{ outcome: "stored" }],
    });
    t.match(await rowsOf(center.database, "select retired from points where point_id = 'lamp-1/value-1'"), [
      { retired: true },
    ]);
  },
);

t.test("a declared gap and an unknown kind of record are kept each in its place", async (t) => {
  const { center, gateway } = await begun(t);
  const gap = {
    ...stamp,
    body: { kind: "gap", lane: "C", incarnation: gateway.incarnation, first: 5, count: 3, reason: "disk" },
  };
  const odd = { ...stamp, body: { kind: "teleport" } };
  const frames = [gap, odd].map((record, index) => recordEntry(gateway.incarnation, "B", index + 1, record));
  const answer = await gateway.send(
    gateway.batch(
      frames,
      [
        { first: 1, count: 1 },
        { first: 2, count: 1 },
      ],
      { lane: "B" },
    ),
  );
  t.match(answer.data.outcomes, [{ outcome: "stored" }, { outcome: "quarantined", cause: "unknown-kind" }]);
  t.match(await rowsOf(center.database, "select first_seq, record_count from declared_gaps"), [
    { first_seq: 5, record_count: 3 },
  ]);
});

t.test(
  "I19 raw and corrected time stand side by side; a day of no clock goes to the default partition",
  async (t) => {
    const { center, gateway } = await begun(t);
    await gateway.send(gateway.readings(1, [reading({ gatewayTimestamp: Instant(5_000) })]));
    const [row] = await rowsOf(
      center.database,
      "select tableoid::regclass::text as place, gateway_at, corrected_at, time_error_ms from readings",
    );
    t.match(row, { place: "readings_default", gateway_at: 5_000 });
    t.ok(Math.abs(Number(row?.["corrected_at"]) - center.clock.now()) < 10_000);
    t.ok(Number(row?.["time_error_ms"]) <= 1_000);
  },
);
