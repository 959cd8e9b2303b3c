const ESCAPES: Readonly<Record<string, number>> = { r: 0x0d, n: 0x0a, t: 0x09, "\\": 0x5c };

/**
 * The bytes that a profile means: ASCII, and `\r`, `\n`, `\t`, `\\` or `\x02` for what can not be typed.
 * `undefined` for a backslash before anything else, and for what is no ASCII.
 */
export function unescapeText(written: string): Buffer | undefined {
  const bytes: number[] = [];
  for (let at = 0; at < written.length; at += 1) {
    const code = written.charCodeAt(at);
    if (code > 0x7f) return undefined;
    if (written[at] !== "\\") {
      bytes.push(code);
      continue;
    }
    at += 1;
    const hex = /^x([0-9a-f]{2})/i.exec(written.slice(at))?.[1];
    const byte = hex === undefined ? ESCAPES[written[at] ?? ""] : Number.parseInt(hex, 16);
    if (byte === undefined) return undefined;
    bytes.push(byte);
    if (hex !== undefined) at += 2;
  }
  return Buffer.from(bytes);
}
