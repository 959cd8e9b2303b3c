import { readYaml, type YamlReading, type YamlSource } from "./yaml-source.ts";

/**
 * JSON is YAML, and reads a hundred times faster: for files that programs write, up to the whole of a city. The places
 * are looked up by reading it as YAML again, which only a file with mistakes costs.
 */
export function readJson(file: string, text: string): YamlReading {
  const data = parseOrNull(text);
  if (data === null || hasKeyTwice(text, data)) return asYaml(file, text);
  let places: YamlSource["placeOf"] | undefined;
  const placeOf: YamlSource["placeOf"] = (path, at) => {
    places ??= readYaml(file, text).source?.placeOf ?? (() => ({ line: 1, column: 1 }));
    return places(path, at);
  };
  return { source: { file, data, placeOf }, problems: [] };
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** `JSON.parse` takes the second silently. Colons outside of texts are as many as keys, unless one is there twice. */
function hasKeyTwice(text: string, data: unknown): boolean {
  const colons = text.replaceAll(/"[^"\\]*(?:\\.[^"\\]*)*"/g, "").split(":").length - 1;
  return colons !== keyCount(data);
}

/** Without recursion: brackets by the ten thousand are no reason to end. */
function keyCount(data: unknown): number {
  let count = 0;
  const open = [data];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (typeof one !== "object" || one === null) continue;
    const values: readonly unknown[] = Object.values(one);
    if (!Array.isArray(one)) count += values.length;
    for (const value of values) open.push(value);
  }
  return count;
}

/** Says where it is broken; what only YAML would take is refused, or a later edit by a program would fail. */
function asYaml(file: string, text: string): YamlReading {
  const reading = readYaml(file, text);
  if (reading.source === null) return reading;
  const complaint = {
    found: "text that is no JSON",
    expected: "JSON, as the file's name ends in .json",
    remedy: "write it as JSON, or name the file .yaml",
  };
  return { source: null, problems: [{ file, line: 1, column: 1, pointer: "", ...complaint }] };
}
