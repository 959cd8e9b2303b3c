import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  type ParsedNode,
  parseDocument,
  visit,
} from "yaml";
import type { SiteProblem } from "../site-file-error.ts";

/** A place in a YAML file: the keys and indexes that lead there. */
export type YamlPath = readonly (string | number)[];

/** A YAML file as plain data, and where each piece of it stands. Comments stay in the file, which is never rewritten. */
export interface YamlSource {
  /** As messages name it. */
  readonly file: string;
  readonly data: unknown;
  /** Line and column, from 1, of the value or its key; of the nearest mapping or list around it if it is not there. */
  placeOf(path: YamlPath, at: "key" | "value"): { readonly line: number; readonly column: number };
}

export type YamlReading =
  | { readonly source: YamlSource; readonly problems: readonly [] }
  | { readonly source: null; readonly problems: readonly SiteProblem[] };

/** Parses YAML 1.2 of the core schema, without anchors, aliases, tags, directives and second documents. */
export function readYaml(file: string, text: string): YamlReading {
  const lines = new LineCounter();
  const document = parseOrNull(text, lines);
  if (document === null) {
    const complaint = {
      found: "nesting without end",
      expected: "a few levels",
      remedy: "remove the brackets",
    };
    return { source: null, problems: [{ file, line: 1, column: 1, pointer: "", ...complaint }] };
  }
  const finder = new PlaceFinder(document, lines);
  const syntax = syntaxComplaints(document);
  const complaints = syntax.length > 0 ? syntax : forbiddenComplaints(document);
  if (complaints.length === 0) {
    const placeOf: YamlSource["placeOf"] = (path, at) => finder.find(path, at);
    return { source: { file, data: document.toJS(), placeOf }, problems: [] };
  }
  const problems = complaints.map(({ offset, ...complaint }) => {
    const { line, col: column } = lines.linePos(offset);
    return { file, line, column, pointer: "", ...complaint };
  });
  return { source: null, problems };
}

interface Complaint {
  readonly offset: number;
  readonly found: string;
  readonly expected: string;
  readonly remedy: string;
}

function parseOrNull(text: string, lineCounter: LineCounter): Document.Parsed<ParsedNode> | null {
  try {
    return parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: true, stringKeys: true });
  } catch (error) {
    // The parser is recursive: brackets by the ten thousand exhaust the stack.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Of broken syntax only the first: it explains those behind it. */
function syntaxComplaints(document: Document.Parsed): readonly Complaint[] {
  const errors = [...document.errors, ...document.warnings];
  const broken = errors.find(({ code }) => code !== "DUPLICATE_KEY");
  if (broken !== undefined) {
    const found = `text that is no YAML (${broken.message})`;
    const remedy = "mend indentation, quotes and brackets here";
    return [{ offset: broken.pos[0], found, expected: "valid YAML 1.2", remedy }];
  }
  const remedy = "remove one of the two, or mend its spelling";
  const complaint = { found: "a key that is there already", expected: "each key once", remedy };
  return errors.map(({ pos }) => ({ offset: pos[0], ...complaint }));
}

const ANCHOR = "write the values out, or use `repeat`; anchors and aliases are not read";
const TAG = "remove the tag; quote the value if it is a text";

function forbiddenComplaints(document: Document.Parsed): readonly Complaint[] {
  const complaints: Complaint[] = [];
  const refuse = (node: Node, found: string, remedy: string): void => {
    complaints.push({ offset: node.range?.[0] ?? 0, found, expected: "plain values", remedy });
  };
  visit(document, {
    Node(_key, node) {
      if (isAlias(node)) return refuse(node, `alias *${node.source}`, ANCHOR);
      if (node.anchor !== undefined) refuse(node, `anchor &${node.anchor}`, ANCHOR);
      if (node.tag !== undefined) refuse(node, `tag ${node.tag}`, TAG);
      return undefined;
    },
  });
  if (document.directives.yaml.explicit === true) {
    const remedy = "remove the %YAML line";
    complaints.push({ offset: 0, found: "a directive", expected: "YAML 1.2 without directives", remedy });
  }
  return complaints;
}

class PlaceFinder {
  readonly #root: ParsedNode | null;
  readonly #lines: LineCounter;

  constructor(document: Document.Parsed<ParsedNode>, lines: LineCounter) {
    this.#root = document.contents;
    this.#lines = lines;
  }

  find(path: YamlPath, at: "key" | "value"): { readonly line: number; readonly column: number } {
    let node: unknown = this.#root;
    let offset = offsetOf(node) ?? 0;
    for (const [index, step] of path.entries()) {
      const wantsKey = at === "key" && index === path.length - 1;
      const { key, value } = childOf(node, step);
      const next = (wantsKey ? offsetOf(key) : undefined) ?? offsetOf(value) ?? offsetOf(key);
      if (next === undefined) break;
      offset = next;
      node = value;
    }
    const { line, col: column } = this.#lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, column) };
  }
}

function childOf(node: unknown, step: string | number): { readonly key?: unknown; readonly value?: unknown } {
  if (isSeq(node)) return { value: node.items[Number(step)] };
  return (isMap(node) ? pairOf(node.items, String(step)) : undefined) ?? {};
}

function pairOf(items: readonly Pair[], key: string): Pair | undefined {
  return items.find((pair) => isScalar(pair.key) && String(pair.key.value) === key);
}

/** A block mapping begins where its first key does. */
function offsetOf(node: unknown): number | undefined {
  if (!isNode(node)) return undefined;
  const start = node.range?.[0];
  if (!isCollection(node) || start === undefined || node.flow === true) return start;
  const first = node.items[0];
  const key = first !== undefined && "key" in Object(first) ? Object(first).key : first;
  return isNode(key) ? (key.range?.[0] ?? start) : start;
}
