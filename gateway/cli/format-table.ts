import type { Paint } from "./paint.ts";

/** Everything a terminal takes as an order: names and texts come from devices and files. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;

/** A cell: its text, and a colour that only underlines what the text says. */
export type Cell = string | { readonly text: string; readonly paint: Paint };

/** Columns as wide as their widest cell, two spaces between; the heads of no rows are still told. */
export function formatTable(heads: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const widths = heads.map((head, column) =>
    Math.max(width(head), ...rows.map((row) => width(textOf(row[column] ?? "")))),
  );
  const line = (row: readonly Cell[]): string =>
    `${row
      .map((cell, column) => padded(cell, widths[column] ?? 0))
      .join("  ")
      .trimEnd()}\n`;
  return [line(heads), ...rows.map(line)].join("");
}

/** `text` with all control characters made visible. */
export function plain(text: string): string {
  return text.replaceAll(CONTROL, "\u{fffd}");
}

function textOf(cell: Cell): string {
  return plain(typeof cell === "string" ? cell : cell.text);
}

function padded(cell: Cell, to: number): string {
  const text = textOf(cell);
  const space = " ".repeat(Math.max(0, to - width(text)));
  return `${typeof cell === "string" ? text : cell.paint(text)}${space}`;
}

/** In characters, not UTF-16 units. */
function width(text: string): number {
  return [...text].length;
}
