/** One thing wrong in a site file or a profile: where, what was found, what was expected and how to mend it. */
export interface SiteProblem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;
  /** JSON pointer (RFC 6901) inside the file; empty: the file itself. */
  readonly pointer: string;
  readonly found: string;
  readonly expected: string;
  /** What to do next, an imperative. */
  readonly remedy: string;
}

/** Most problems that a message lists; `problems` holds at most {@link PROBLEMS_KEPT}. */
const PROBLEMS_SHOWN = 50;
/** A file with more is broken in one place that explains them all. */
export const PROBLEMS_KEPT = 1_000;

/** A site file or profile that can not be used; nothing was started. */
export class SiteFileError extends Error {
  override readonly name = "SiteFileError";
  /** In the order of file, line and column; never empty. */
  readonly problems: readonly SiteProblem[];
  constructor(path: string, problems: readonly SiteProblem[]) {
    super(messageOf(path, problems));
    this.problems = problems;
  }
}

/** `site.yaml:12:5 /devices/3/unit: found 300, expected …: write …` */
export function formatProblem(problem: SiteProblem): string {
  const place = `${problem.file}:${problem.line}:${problem.column}`;
  const pointer = problem.pointer === "" ? "" : ` ${problem.pointer}`;
  return `${place}${pointer}: found ${problem.found}, expected ${problem.expected}: ${problem.remedy}`;
}

function messageOf(path: string, problems: readonly SiteProblem[]): string {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  const shown = problems.slice(0, PROBLEMS_SHOWN).map(formatProblem);
  const left = problems.length - shown.length;
  if (left > 0) shown.push(`… and ${left} more: mend these first`);
  return `site file ${path} can not be used, ${count}:\n${shown.join("\n")}`;
}
