import type { DoorHardware, DoorNews } from "./door-hardware.ts";

/** PDCAP: function, compliance, number. Two inputs, two outputs, raw cards, two lamps, a buzzer, CRC, AES-128, one reader. */
export const CAPABILITIES = Uint8Array.from(
  [
    [1, 1, 2],
    [2, 2, 2],
    [3, 1, 0],
    [4, 1, 2],
    [5, 1, 1],
    [8, 1, 0],
    [9, 1, 1],
    [13, 1, 1],
  ].flat(),
);

/** What a poll is answered with when there is something to tell. */
export function newsAnswer(
  news: DoorNews,
  hardware: DoorHardware,
): { readonly code: number; readonly data: Uint8Array } {
  switch (news.kind) {
    case "card": {
      const head = [news.reader, news.format, news.bits % 256, news.bits >> 8];
      return { code: 0x50, data: Buffer.concat([Buffer.from(head), news.data]) };
    }
    case "keys": {
      const keys = [...news.keys].map((key) => ({ "#": 0x0d, "*": 0x7f })[key] ?? key.charCodeAt(0));
      return { code: 0x53, data: Uint8Array.from([news.reader, keys.length, ...keys]) };
    }
    case "inputs":
      return { code: 0x49, data: Uint8Array.from(hardware.inputs) };
    case "outputs":
      return { code: 0x4a, data: Uint8Array.from(hardware.outputs) };
    case "readers":
      return { code: 0x4b, data: Uint8Array.of(hardware.readerTamper === 0 ? 0 : 2) };
    default:
      return { code: 0x48, data: Uint8Array.of(hardware.tamper, hardware.powerFailure) };
  }
}
