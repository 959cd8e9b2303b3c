import t from "tap";
import { Millis } from "../../../domain/time.ts";
import type { ByteLine } from "../../../drivers/line/byte-line.ts";
import { AsciiLine } from "../../../drivers/serial/ascii/ascii-line.ts";
import { FRAMING_SCHEMA } from "../../../drivers/serial/ascii/framing.ts";
import { encodeFrame, encodeUnsigned } from "../../../drivers/serial/osdp/osdp-frame.ts";
import { PanelLine } from "../../../drivers/serial/osdp/osdp-line.ts";
import { CountingClock } from "../counting-clock.ts";

const ASKED = 200;
const SIGNAL = new AbortController().signal;
const clock = new CountingClock();
const frames = () => {};

t.test(
  "whoever waits for an answer is told of the line's end, and an open line keeps nobody who waited",
  async (t) => {
    const poll = encodeFrame(
      encodeUnsigned({ address: 1, from: "panel", sequence: 0, code: 0x60, data: new Uint8Array() }),
    );
    const question = { unit: 1, text: "R", framing: FRAMING_SCHEMA.parse({ end: "\\r" }), label: "ask R" };
    const cases = [
      {
        name: "OSDP",
        open: (bytes: ByteLine) => {
          const line = new PanelLine({ bytes, clock, frames, replyTimeout: Millis(1) });
          return () => line.ask(poll, () => true, SIGNAL);
        },
        ends: undefined,
      },
      {
        name: "ASCII",
        open: (bytes: ByteLine) => {
          const line = new AsciiLine({ bytes, clock, frames, rest: Millis(0), requestTimeout: Millis(1) });
          return () => line.ask(question, () => undefined, SIGNAL).catch((error: unknown) => error);
        },
        ends: { code: "connection-lost" },
      },
    ];
    for (const { name, open, ends } of cases) {
      const wire = newWire();
      const ask = open(wire.bytes);
      for (let times = 0; times < ASKED; times += 1) await ask();
      t.equal(wire.listenersOfLoss(), 1, `${name} listens to the end once`);
      t.ok(wire.listenersOfBytes() <= 1, `${name} listens to the line once`);
      wire.loseAtNextWrite();
      t.match({ ended: await ask() }, { ended: ends }, `${name}: the one that waits is told`);
      t.match({ ended: await ask() }, { ended: ends }, `${name}: and the one that comes later`);
    }
  },
);

/** A line on which nobody answers, and who listens to it. */
function newWire() {
  const end = Promise.withResolvers<unknown>();
  let listeners = 0;
  let hearing = 0;
  let isLoose = false;
  const lost = Object.assign(end.promise, {
    // biome-ignore lint/suspicious/noThenProperty: what counts here is how often the promise is listened to
    then: ((...reactions: Parameters<Promise<unknown>["then"]>) => {
      listeners += 1;
      return Promise.prototype.then.apply(end.promise, reactions);
    }) as Promise<unknown>["then"],
  });
  const bytes: ByteLine = {
    label: "a silent line",
    characterTime: Millis(0),
    lost,
    write: async () => {
      if (isLoose) end.resolve(new Error("pulled"));
    },
    onBytes: () => {
      hearing += 1;
      return () => {
        hearing -= 1;
      };
    },
    discard: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
  const loseAtNextWrite = (): void => {
    isLoose = true;
  };
  return { bytes, loseAtNextWrite, listenersOfLoss: () => listeners, listenersOfBytes: () => hearing };
}
