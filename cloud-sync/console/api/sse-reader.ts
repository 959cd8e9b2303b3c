export interface StreamEvent {
  readonly event: string;
  readonly data: string;
}

/** An event may be so long; a longer one is a broken stream. */
const EVENT_MAX_CHARS = 16 * 1024 * 1024;

/** Server-sent events out of pieces of text, wherever they were cut. */
export class SseReader {
  #rest = "";

  /** The events that `text` completes. @throws {RangeError} when one exceeds 16 Mi characters */
  push(text: string): readonly StreamEvent[] {
    const parts = (this.#rest + text).split("\n\n");
    this.#rest = parts.pop() ?? "";
    if (this.#rest.length > EVENT_MAX_CHARS) throw new RangeError("an event of the stream is too long");
    return parts.flatMap(parse);
  }
}

function parse(block: string): readonly StreamEvent[] {
  const lines = block.split("\n");
  const field = (name: string): string[] =>
    lines.filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2));
  const data = field("data");
  return data.length === 0 ? [] : [{ event: field("event")[0] ?? "message", data: data.join("\n") }];
}
