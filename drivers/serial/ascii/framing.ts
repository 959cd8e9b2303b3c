import { z } from "zod";
import { CHECKSUMS, type ChecksumRule } from "./checksum.ts";
import { unescapeText } from "./escaped-text.ts";

/** How the frames of an ASCII protocol are told apart on the line. */
export interface Framing {
  /** Bytes before every frame; empty: none. */
  readonly start: Buffer;
  readonly end:
    | { readonly by: "delimiter"; readonly bytes: Buffer }
    /** Bytes of the whole frame, start and checksum included. */
    | { readonly by: "length"; readonly bytes: number }
    /** The line was silent for so long, ms. For devices that give no other sign. */
    | { readonly by: "silence"; readonly ms: number };
  readonly checksum: ChecksumRule | undefined;
}

/** The longest frame: more before an end is noise, and dropped. */
export const FRAME_BYTES_MAX = 1_024;

const EXPECTED =
  '{ end: "\\r\\n" }, { length: 12 } or { silenceMs: 20 }, with start and checksum where the device has them';
const text = z
  .string("characters, with \\r, \\n, \\t and \\x02 as in a program")
  .max(16, "at most 16 characters")
  .transform((written, context) => {
    const bytes = unescapeText(written);
    if (bytes !== undefined) return bytes;
    context.issues.push({
      code: "custom",
      input: written,
      message: "\\r, \\n, \\t, \\\\ or \\x02 after a backslash",
    });
    return z.NEVER;
  });
const LENGTH = `a frame length from 1 to ${FRAME_BYTES_MAX} bytes`;
const SILENCE = "a silence from 2 to 1000 ms";

export const FRAMING_SCHEMA = z
  .strictObject(
    {
      start: text.optional(),
      end: text.refine((bytes) => bytes.length > 0, "one character at least").optional(),
      length: z.int(LENGTH).min(1, LENGTH).max(FRAME_BYTES_MAX, LENGTH).optional(),
      silenceMs: z.number(SILENCE).min(2, SILENCE).max(1_000, SILENCE).optional(),
      checksum: z.enum(CHECKSUMS, `one of ${CHECKSUMS.join(", ")}`).optional(),
    },
    EXPECTED,
  )
  .transform(({ start, end, length, silenceMs, checksum }, context): Framing => {
    const ends: Framing["end"][] = [
      ...(end === undefined ? [] : [{ by: "delimiter", bytes: end } as const]),
      ...(length === undefined ? [] : [{ by: "length", bytes: length } as const]),
      ...(silenceMs === undefined ? [] : [{ by: "silence", ms: silenceMs } as const]),
    ];
    const [only, more] = ends;
    if (only !== undefined && more === undefined)
      return { start: start ?? Buffer.alloc(0), end: only, checksum };
    context.issues.push({
      code: "custom",
      input: end,
      message: `exactly one of end, length and silenceMs: ${EXPECTED}`,
    });
    return z.NEVER;
  });
