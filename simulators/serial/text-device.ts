/** Something that is asked in lines of text. */
export interface TextDevice {
  /** The line that answers `line`; `undefined`: it is not for this device, or makes no sense to it. */
  answer(line: string): string | undefined;
}

const LINE_MAX = 256;

/** Collects lines that end in CR LF, each with two hexadecimal digits of an XOR over all before them. */
export class CheckedLines {
  #held = "";

  /** The lines that are whole and right, without their check; a device says nothing to others. */
  feed(bytes: Uint8Array): readonly string[] {
    this.#held = (this.#held + Buffer.from(bytes).toString("latin1")).slice(-LINE_MAX);
    const parts = this.#held.split("\r\n");
    this.#held = parts.pop() ?? "";
    return parts.flatMap((part) => {
      const line = part.slice(0, -2);
      return part.slice(-2).toUpperCase() === checkOf(line) ? [line] : [];
    });
  }
}

export function checkedLine(line: string): Buffer {
  return Buffer.from(`${line}${checkOf(line)}\r\n`, "latin1");
}

function checkOf(line: string): string {
  let sum = 0;
  for (const byte of Buffer.from(line, "latin1")) sum ^= byte;
  return sum.toString(16).toUpperCase().padStart(2, "0");
}
