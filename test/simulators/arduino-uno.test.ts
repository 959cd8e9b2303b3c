import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import t from "tap";
import { ArduinoUno, CLOCK_HZ, FLASH_BYTES } from "../../simulators/firmata/arduino-uno.ts";
import { readIntelHex } from "../../simulators/firmata/intel-hex.ts";

const FIRMWARE = "avrgirl-arduino/junk/hex/uno/StandardFirmata.cpp.hex";
const REPORT_VERSION = 0xf9;
/** Ten bits at 57,600 baud, as the chip's divider makes them. */
const CHARACTER_CYCLES = 2_720;

t.test("a question that comes while the board speaks is read, whatever the moment", async (t) => {
  const said: number[] = [];
  const path = createRequire(import.meta.url).resolve(FIRMWARE);
  const uno = new ArduinoUno(readIntelHex(readFileSync(path, "utf8"), FLASH_BYTES), {
    sent: (byte) => said.push(byte),
    pinChanged: () => {},
  });
  uno.runUntil(2 * CLOCK_HZ);
  t.ok(said.includes(REPORT_VERSION), "it has announced itself");
  const unheard: number[] = [];
  // The second question ends while the answer to the first is on its way out, each time 20 cycles later.
  for (let after = CHARACTER_CYCLES / 2; after < 3 * CHARACTER_CYCLES; after += 20) {
    said.length = 0;
    uno.receive(Buffer.of(REPORT_VERSION));
    uno.runUntil(uno.cycles + CHARACTER_CYCLES + after);
    uno.receive(Buffer.of(REPORT_VERSION));
    uno.runUntil(uno.cycles + 0.003 * CLOCK_HZ);
    if (said.filter((byte) => byte === REPORT_VERSION).length !== 2) unheard.push(after);
  }
  t.same(unheard, []);
});
