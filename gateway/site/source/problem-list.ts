import { PROBLEMS_KEPT, type SiteProblem } from "../site-file-error.ts";
import { pointerOf } from "./json-pointer.ts";
import type { YamlPath, YamlSource } from "./yaml-source.ts";

/** What is said of a place. */
export interface Complaint {
  readonly found: string;
  readonly expected: string;
  readonly remedy: string;
  /** Where the cursor goes: to the value (default) or to its key. */
  readonly at?: "key" | "value";
}

/** Gathers all that is wrong, so that one look at the message mends the file. Bounded: later ones are dropped. */
export class ProblemList {
  readonly #problems = new Map<string, SiteProblem>();

  /** The same complaint at the same place is kept once. */
  add(source: YamlSource, path: YamlPath, complaint: Complaint): void {
    const { at = "value", found, expected, remedy } = complaint;
    const { line, column } = source.placeOf(path, at);
    this.addProblem({ file: source.file, line, column, pointer: pointerOf(path), found, expected, remedy });
  }

  addProblem(problem: SiteProblem): void {
    if (this.#problems.size >= PROBLEMS_KEPT) return;
    this.#problems.set(`${problem.file} ${problem.pointer} ${problem.expected} ${problem.found}`, problem);
  }

  get size(): number {
    return this.#problems.size;
  }

  /** By file in the order of their first complaint, then by line and column. */
  sorted(): readonly SiteProblem[] {
    const problems = [...this.#problems.values()];
    const files = [...new Set(problems.map(({ file }) => file))];
    return problems.toSorted(
      (one, other) =>
        files.indexOf(one.file) - files.indexOf(other.file) ||
        one.line - other.line ||
        one.column - other.column,
    );
  }
}

/** A value as a message shows it, shortened. */
export function show(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object" && value !== null) return "a mapping";
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}
