import t from "tap";
import { MessageMeter } from "../../../drivers/firmata/message-meter.ts";
import { LineLedger } from "../../../drivers/line/line-ledger.ts";

t.test("what belongs to no message of a board is noise, and a message that another cuts is short", (t) => {
  const cases = [
    { name: "whole messages", bytes: "e00102 910301 f90205 f07902f7", short: 0, noise: 0 },
    { name: "data before any message", bytes: "010203 e00102", short: 0, noise: 3 },
    { name: "data after a whole one", bytes: "e00102 03", short: 0, noise: 1 },
    { name: "an analog message cut by the next", bytes: "e001 e10203", short: 1, noise: 0 },
    { name: "a SysEx message cut by a version", bytes: "f07902 f90205", short: 1, noise: 0 },
    { name: "an end without a start", bytes: "f7 e00102", short: 0, noise: 1 },
    { name: "what only a host may send", bytes: "ff c001", short: 0, noise: 3 },
  ];
  for (const { name, bytes, short, noise } of cases) {
    const ledger = new LineLedger(["shortFrames", "noiseBytes"]);
    const meter = new MessageMeter(ledger);
    for (const byte of Buffer.from(bytes.replaceAll(" ", ""), "hex")) meter.take(byte);
    t.match(ledger.health(), { shortFrames: short, noiseBytes: noise }, name);
  }
  t.end();
});
