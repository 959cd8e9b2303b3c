import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import pino from "pino";
import t from "tap";
import { Millis } from "../../../domain/time.ts";
import { COMMAND } from "../../../drivers/serial/osdp/osdp-codes.ts";
import { OsdpConversation } from "../../../drivers/serial/osdp/osdp-conversation.ts";
import {
  decodeFrame,
  encodeFrame,
  encodeUnsigned,
  type SoundFrame,
} from "../../../drivers/serial/osdp/osdp-frame.ts";
import { serialDriver } from "../../../drivers/serial/serial-driver.ts";
import { machineClock } from "../../../simulators/clock.ts";
import { Journal } from "../../../simulators/journal.ts";
import { DoorUnit } from "../../../simulators/osdp/door-unit.ts";
import { PacketCollector } from "../../../simulators/osdp/pd-frame.ts";
import { CountingClock } from "../counting-clock.ts";
import { ADDRESS, lineTo, openOsdpPeer, STRIKE } from "./osdp-peer.ts";

t.test("refusals, strangers, a second panel and an echo are counted as what they are", async (t) => {
  await using peer = await openOsdpPeer({ clear: "allowed" });
  const written = { dialect: "osdp", line: lineTo(peer), security: { mode: "off" }, replyTimeout: "80 ms" };
  const context = {
    clock: new CountingClock(),
    logger: pino({ enabled: false }),
    requestTimeout: Millis(400),
    frames: () => {},
  };
  const { signal } = new AbortController();
  await using bus = await serialDriver.openBus(serialDriver.parseBusConfig(written), context, signal);
  const session = bus.openSession(String(ADDRESS), []);
  const poll = async () => await session.keepAlive?.exchange(signal);
  await poll();
  t.match(bus.health?.(), { answers: 1, refusals: 0, unexpectedSenders: 0, hints: [] });
  const definition = { ...STRIKE, address: { dialect: "osdp", item: "output", number: 7 } };
  const address = serialDriver.parseAddress(definition.address, definition);
  await t.rejects(session.write({ ...definition, address }, true, signal), { code: "refused-by-device" });
  t.match(bus.health?.(), { answers: 2, refusals: 1 });
  const frame = { address: 9, sequence: 1, code: 0x40, data: new Uint8Array() };
  for (const from of ["unit", "panel"] as const) await tell(encodeFrame(encodeUnsigned({ ...frame, from })));
  t.match(bus.health?.(), { unexpectedSenders: 2, hints: [/two units with one address/] });
  await poll();
  const [last] = peer.heard.slice(-1);
  await tell(
    encodeFrame(
      encodeUnsigned({
        ...frame,
        address: ADDRESS,
        from: "panel",
        sequence: last?.sequence ?? 0,
        code: last?.code ?? 0,
      }),
    ),
  );
  t.match(bus.health?.(), { unexpectedSenders: 2, noiseBytes: 0, hints: [/local echo/, /two units/] });
  await tell(Buffer.from("0102", "hex"));
  t.match(bus.health?.(), { noiseBytes: 2, crcErrors: 0 });

  /** Until it was counted. */
  async function tell(bytes: Buffer): Promise<void> {
    const before = JSON.stringify(bus.health?.());
    for (const socket of peer.sockets) socket.write(bytes);
    for (let tries = 0; tries < 400 && JSON.stringify(bus.health?.()) === before; tries += 1) await pause(5);
  }
});

t.test("a unit that is slower than its reply time is not told to hold another key", async (t) => {
  const key = randomBytes(16);
  const door = { address: 5, key, clear: "refused" } as const;
  const around = {
    id: "door-1",
    seed: 1,
    journal: new Journal({ clock: machineClock }),
    clock: machineClock,
  };
  using unit = new DoorUnit(door, around);
  const answers: SoundFrame[] = [];
  const answerOf = (frame: Buffer): SoundFrame => {
    const [packet] = new PacketCollector().feed(frame);
    const decoded = decodeFrame((packet && unit.answer(packet)) ?? Buffer.alloc(0));
    if ("defect" in decoded) throw new Error(decoded.defect);
    return decoded;
  };
  let asked = 0;
  const conversation = new OsdpConversation({
    address: door.address,
    // The first challenge is sent twice, and answered when the second one is asked.
    line: {
      ask: async (frame) => {
        asked += 1;
        answers.push(answerOf(frame));
        return asked <= 2 ? undefined : answers[asked === 3 ? 0 : asked - 1];
      },
    },
    key: { kind: "own", bytes: key },
    random: randomBytes,
    clock: new CountingClock(),
    requestTimeout: Millis(400),
    quiet: Millis(0),
  });
  const poll = () =>
    conversation
      .ask({ code: COMMAND.poll, data: new Uint8Array(), label: "poll" }, new AbortController().signal)
      .catch((error: unknown) => error);
  t.match(await poll(), { code: "timeout" });
  t.match(await poll(), { code: "malformed-reply", cause: { message: /slower than replyTimeout/ } });
  t.match(await poll(), { code: 0x40 }, "in step again");
});
