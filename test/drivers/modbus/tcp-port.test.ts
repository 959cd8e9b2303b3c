import Modbus from "modbus-serial";
import t from "tap";
import { DeviceFault, type FaultCode } from "../../../domain/errors.ts";
import { systemClock } from "../../../domain/system-clock.ts";
import type { Clock } from "../../../domain/time.ts";
import { EXCEPTION_FAULTS } from "../../../drivers/modbus/exception-fault.ts";
import { SimulatedClock } from "../../simulated-clock.ts";
import { openClient } from "./open-client.ts";
import { frame, hex, ownAddresses, RawPeer, type RawRequest } from "./raw-peer.ts";

const answerWell = (request: RawRequest): void => void request.socket.write(ownAddresses(request));
const never = new AbortController().signal;

/** The code of the fault that `promise` rejects with; anything else that is thrown stays thrown. */
async function faultOf(promise: Promise<unknown>): Promise<DeviceFault> {
  const error: unknown = await promise.then(
    (value) => new Error(`resolved with ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (error instanceof DeviceFault) return error;
  throw error;
}
const codeOf = async (promise: Promise<unknown>): Promise<FaultCode> => (await faultOf(promise)).code;
/** What a fault and its causes say. */
const chain = (error: unknown): string =>
  error instanceof Error ? `${error.message} < ${chain(error.cause)}` : String(error);

t.test("a thousand requests in flight, answered in any order, each get their own answer", async (t) => {
  await using line = await openClient();
  const shuffled: RawRequest[] = [];
  line.peer.onRequest = (request) => {
    shuffled.splice((shuffled.length * 7919) % (shuffled.length + 1), 0, request);
    if (shuffled.length < 1_000) return;
    for (const one of shuffled) answerWell(one);
  };
  const firsts = Array.from({ length: 1_000 }, (_, index) => index * 3);
  const answers = await Promise.all(firsts.map((first) => line.read(first, 2)));
  t.same(
    answers,
    firsts.map((first) => [first, first + 1]),
  );
  t.equal(line.clock.pendingTimers, 0);
});

t.test("modbus-serial by itself mixes up the answers of more than 256 requests in flight", async (t) => {
  await using peer = await RawPeer.open();
  const held: RawRequest[] = [];
  peer.onRequest = (request) => {
    held.push(request);
    if (held.length === 300) for (const one of held) answerWell(one);
  };
  const bare = new Modbus.default();
  await bare.connectTCP("127.0.0.1", { port: peer.port });
  bare.setTimeout(300);
  bare.setID(1);
  const reads = Array.from(
    { length: 300 },
    async (_, first) => (await bare.readHoldingRegisters(first, 1)).data[0] === first,
  );
  const outcomes = await Promise.allSettled(reads);
  t.ok(
    outcomes.some((outcome) => outcome.status === "rejected" || !outcome.value),
    "the reason for our own port",
  );
  bare.destroy(() => {});
});

t.test("more than 1,024 requests in flight are refused at once, and the line goes on", async (t) => {
  await using line = await openClient();
  const held: RawRequest[] = [];
  line.peer.onRequest = (request) => void held.push(request);
  const waiting = Array.from({ length: 1_024 }, (_, first) => line.read(first));
  t.match(chain(await faultOf(line.read(9))), /1024 requests already wait/);
  await line.peer.received(1_024);
  line.peer.onRequest = answerWell;
  for (const request of held) answerWell(request);
  t.same(
    (await Promise.all(waiting)).flat(),
    Array.from({ length: 1_024 }, (_, first) => first),
  );
  t.same(await line.read(5), [5]);
});

t.test("a transaction id comes back only after 65,535 others", async (t) => {
  await using line = await openClient();
  const ids = new Set<number>();
  line.peer.onRequest = (request) => {
    ids.add(request.transaction);
    answerWell(request);
  };
  for (let round = 0; round < 30; round += 1) {
    await Promise.all(Array.from({ length: 100 }, (_, first) => line.read(first)));
  }
  t.equal(ids.size, 3_000);
});

t.test("an answer exactly 256 requests late is dropped", async (t) => {
  await using line = await openClient({ requestTimeout: 60 });
  t.equal(await codeOf(line.read(7)), "timeout");
  const [late] = line.peer.requests;
  line.peer.onRequest = answerWell;
  for (let first = 0; first < 255; first += 1) await line.read(first);
  line.peer.onRequest = (request) => {
    if (late !== undefined) answerWell(late);
    answerWell(request);
  };
  t.same(await line.read(300), [300]);
});

t.test("a silent unit does not hang the promise for ever", async (t) => {
  const clock = new SimulatedClock();
  await using line = await openClient({ clock, requestTimeout: 500 });
  const read = faultOf(line.read(1));
  await line.peer.received(1);
  await clock.advance(499);
  t.equal(clock.pendingTimers, 1, "waits");
  await clock.advance(1);
  const fault = await read;
  t.equal(fault.code, "timeout");
  t.match(chain(fault), /read 1 from 1 \(timeout\) < no answer within 500 ms/);
  t.equal(clock.pendingTimers, 0);
});

t.test("a connection that dies mid-request rejects everything at once", async (t) => {
  await using line = await openClient({ requestTimeout: 5_000 });
  const reads = Array.from({ length: 50 }, (_, first) => codeOf(line.read(first)));
  await line.peer.received(50);
  const start = line.clock.uptime();
  line.peer.sockets()[0]?.resetAndDestroy();
  t.same(new Set(await Promise.all(reads)), new Set(["connection-lost"]));
  t.ok(line.clock.uptime() - start < 500);
  t.match(chain(await line.port.lost), /ECONNRESET/);
  t.equal(line.port.isOpen, false);
});

t.test("a peer that closes in the middle of a frame rejects what waits for it", async (t) => {
  await using line = await openClient();
  line.peer.onRequest = (request) => void request.socket.end(ownAddresses(request).subarray(0, 9));
  t.equal(await codeOf(line.read(1, 20)), "connection-lost");
});

t.test("destroying the line settles every promise", async (t) => {
  await using line = await openClient({ requestTimeout: 60_000 });
  const reads = [1, 2, 3].map((first) => codeOf(line.read(first)));
  line.port.destroy();
  t.same(await Promise.all(reads), ["connection-lost", "connection-lost", "connection-lost"]);
  t.equal(await codeOf(line.read(4)), "connection-lost", "and later ones too");
  t.equal(line.clock.pendingTimers, 0);
});

t.test("closing calls back though the peer does not read its FIN", async (t) => {
  await using peer = await RawPeer.open("half-open");
  await using line = await openClient({}, peer);
  for (const socket of peer.sockets()) socket.pause();
  await new Promise<void>((resolve) => {
    line.port.close(resolve);
  });
  t.match(chain(await line.port.lost), /closed by the gateway/);
});

t.test("bytes that are no frame end the connection at once, and every request with it", async (t) => {
  const poisons = [
    { name: "length 65535", bytes: hex("0001 0000 ffff 01 03"), says: /length 65535/ },
    { name: "length 255", bytes: hex("0001 0000 00ff 01 03"), says: /length 255/ },
    { name: "length 1", bytes: hex("0001 0000 0001 01"), says: /length 1,/ },
    { name: "length 0", bytes: hex("0001 0000 0000"), says: /length 0,/ },
    { name: "another protocol", bytes: hex("0001 0005 0006 01 03 0000 0001"), says: /protocol identifier 5/ },
    {
      name: "an HTTP server",
      bytes: Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"),
      says: /protocol identifier/,
    },
  ];
  for (const { name, bytes, says } of poisons) {
    await using line = await openClient({ requestTimeout: 60_000 });
    const reads = [faultOf(line.read(1)), faultOf(line.read(2))];
    await line.peer.received(2);
    line.peer.sockets()[0]?.write(bytes);
    for (const fault of await Promise.all(reads)) {
      t.equal(fault.code, "malformed-reply", name);
      t.match(chain(fault), says, name);
    }
    await line.port.lost;
  }
});

t.test("an answer that came before the noise still counts", async (t) => {
  await using line = await openClient({ requestTimeout: 60_000 });
  const [first, second] = [line.read(1), codeOf(line.read(2))];
  const [request] = await line.peer.received(2);
  if (request === undefined) throw new Error("no request");
  request.socket.write(Buffer.concat([ownAddresses(request), hex("ffff ffff ffff ffff")]));
  t.same(await first, [1]);
  t.equal(await second, "malformed-reply");
});

t.test("an answer that the request did not ask for is malformed, and the line goes on", async (t) => {
  await using line = await openClient({ requestTimeout: 60_000 });
  const oddities: readonly { name: string; answer: (request: RawRequest) => Buffer }[] = [
    { name: "another unit", answer: (request) => ownAddresses({ ...request, unit: 2 }) },
    { name: "another function", answer: (request) => frame(request, "04 04 0001 0002") },
    { name: "another function's exception", answer: (request) => frame(request, "84 02") },
    { name: "one register short", answer: (request) => frame(request, "03 02 0001") },
    { name: "one register more", answer: (request) => frame(request, "03 06 0001 0002 0003") },
    { name: "byte count too large", answer: (request) => frame(request, "03 ff 0001 0002") },
    { name: "byte count too small", answer: (request) => frame(request, "03 02 0001 0002") },
    { name: "byte count odd", answer: (request) => frame(request, "03 03 0001 0002") },
    { name: "no data", answer: (request) => frame(request, "03") },
    { name: "exception without code", answer: (request) => frame(request, "83") },
  ];
  for (const { name, answer } of oddities) {
    line.peer.onRequest = (request) => void request.socket.write(answer(request));
    t.equal(await codeOf(line.read(1, 2)), "malformed-reply", name);
    line.peer.onRequest = answerWell;
    t.same(await line.read(1, 2), [1, 2], `after ${name}`);
  }
});

t.test("an answer of another unit or function is named by what was asked", async (t) => {
  await using line = await openClient({ requestTimeout: 60_000 });
  line.peer.onRequest = (request) => void request.socket.write(ownAddresses({ ...request, unit: 2 }));
  t.match(chain(await faultOf(line.read(1))), /unit 2 answered function 3 to function 3 of unit 1/);
});

t.test("an answer that modbus-serial does not take up settles its request all the same", async (t) => {
  await using line = await openClient({ requestTimeout: 60_000 });
  line.port.removeAllListeners("data");
  line.peer.onRequest = answerWell;
  t.equal(await codeOf(line.read(1)), "malformed-reply");
  t.equal(line.clock.pendingTimers, 0);
});

t.test("errors are Errors, with the library's own as cause", async (t) => {
  await using line = await openClient();
  for (const code of [...EXCEPTION_FAULTS.keys(), 7, 99]) {
    line.peer.onRequest = (request) => void request.socket.write(frame(request, Buffer.from([0x83, code])));
    const fault = await faultOf(line.read(1));
    t.equal(fault.code, EXCEPTION_FAULTS.get(code)?.fault ?? "refused-by-device", `exception ${code}`);
    t.match(chain(fault), new RegExp(`exception ${code}, .* < Modbus exception ${code}: `));
    t.type(fault.stack, "string");
  }
  t.equal(EXCEPTION_FAULTS.get(2)?.fault, "unknown-address");
  t.equal(EXCEPTION_FAULTS.get(11)?.fault, "timeout");
});

t.test("126 registers and addresses above 65535 are refused before they are sent", async (t) => {
  await using line = await openClient();
  for (const [first, count] of [
    [0, 126],
    [0, 0],
    [0, 1.5],
    [0, -1],
  ] as const) {
    const fault = await faultOf(line.read(first, count));
    t.equal(fault.code, "refused-by-device", `${count} registers`);
    t.match(chain(fault), /not sent/);
  }
  for (const [first, count] of [
    [65_536, 1],
    [65_535, 2],
    [-1, 1],
    [0.5, 1],
  ] as const) {
    t.equal(await codeOf(line.read(first, count)), "unknown-address", `${count} from ${first}`);
  }
  const bits = { table: "coil", first: 0, count: 2_001, label: "read 2001 coils" } as const;
  t.equal(await codeOf(line.client.read(1, bits, () => 0, never)), "refused-by-device");
  const words = Array.from({ length: 124 }, () => 0);
  const long = { function: 16, register: 0, words, label: "write 124" } as const;
  t.equal(await codeOf(line.client.write(1, long, never)), "refused-by-device");
  line.peer.onRequest = answerWell;
  t.same(await line.read(65_535), [65_535], "the last register is fine");
  t.equal(line.peer.requests.length, 1, "nothing else was sent");
});

t.test("an abort rejects only what carries its signal", async (t) => {
  await using line = await openClient();
  const [one, other] = [new AbortController(), new AbortController()];
  const reads = [line.read(1, 1, one.signal), line.read(2, 1, other.signal), line.read(3, 1, one.signal)];
  await line.peer.received(3);
  const outcomes = Promise.allSettled(reads);
  one.abort("enough");
  for (const request of line.peer.requests) answerWell(request);
  t.same(await outcomes, [
    { status: "rejected", reason: "enough" },
    { status: "fulfilled", value: [2] },
    { status: "rejected", reason: "enough" },
  ]);
  t.equal(line.clock.pendingTimers, 0);
});

t.test(
  "ten thousand requests with one signal leave one listener, and none after the line is gone",
  async (t) => {
    await using line = await openClient();
    line.peer.onRequest = answerWell;
    let listeners = 0;
    const { signal } = new AbortController();
    const add = signal.addEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    const remove = signal.removeEventListener.bind(signal);
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };
    for (let round = 0; round < 100; round += 1) {
      await Promise.all(Array.from({ length: 100 }, (_, first) => line.read(first, 1, signal)));
    }
    t.equal(listeners, 1);
    line.port.destroy();
    t.equal(listeners, 0);
  },
);

t.test("every frame is shown as it went and came", async (t) => {
  const seen: string[] = [];
  await using line = await openClient({
    frames: (direction, bytes) => void seen.push(`${direction} ${Buffer.from(bytes).toString("hex")}`),
  });
  line.peer.onRequest = answerWell;
  await line.read(0x006b, 3);
  t.same(seen, ["sent 000100000006" + "01" + "03006b0003", "received 000100000009010306006b006c006d"]);
});

t.test("a peer that never answers the SYN is given up after the connect time-out", async (t) => {
  // Its time-out is over before the kernel can answer.
  const hasty: Clock = {
    ...systemClock,
    schedule: (_, callback) => {
      queueMicrotask(callback);
      return () => {};
    },
  };
  await using peer = await RawPeer.open();
  const fault = await faultOf(openClient({ clock: hasty }, peer));
  t.equal(fault.code, "connection-lost");
  t.match(chain(fault), /no connection within 2000 ms/);
});
