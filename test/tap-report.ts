/** What a person needs from a run: totals, every failure with its diagnosis, every skip with its reason. */
export interface TapReport {
  readonly passed: number;
  readonly failed: number;
  readonly failures: readonly TapFailure[];
  readonly skips: readonly string[];
  readonly files: readonly TapFile[];
}

/** `path` is file > test > … > assertion; `details` is tap's own diagnosis, left-aligned. */
export interface TapFailure {
  readonly path: string;
  readonly details: readonly string[];
}

export interface TapFile {
  readonly name: string;
  readonly ok: boolean;
  /** What the file itself told with `t.comment`, e.g. `SEED=…`. */
  readonly comments: readonly string[];
}

const TEST_POINT = /^( *)(not ok|ok) \d+(?: - (.*?))?(?: # time=\S+)?(?: # (SKIP|TODO)\b ?(.*))?$/;
const TOTALS = /^# \{ total: \d+.*\}$/;

/** Reads the output of `tap run -R tap`, whose files come one after the other even when run in parallel. */
export function readTapReport(text: string): TapReport {
  const reader = new TapReader();
  const lines = text.split("\n");
  for (const [index, line] of lines.entries()) reader.take(line, lines, index);
  return reader.report();
}

class TapReader {
  /** Names of the subtests that are open, by depth. */
  readonly #open: string[] = [];
  readonly #failures: TapFailure[] = [];
  readonly #skips: string[] = [];
  readonly #files: TapFile[] = [];
  #comments: string[] = [];
  /** tap passes a file without a test as skipped; here it fails, because it proves nothing. */
  #emptyFiles = 0;
  #totals = "";

  take(line: string, lines: readonly string[], index: number): void {
    if (TOTALS.test(line)) {
      this.#totals = line;
      return;
    }
    const point = TEST_POINT.exec(line);
    if (point !== null) this.#takePoint(point, lines, index);
    else this.#takeComment(line);
  }

  report(): TapReport {
    const count = (name: string): number =>
      Number(new RegExp(`${name}: (\\d+)`).exec(this.#totals)?.[1] ?? 0);
    return {
      passed: count("pass"),
      failed: count("fail") + this.#emptyFiles,
      failures: this.#failures,
      skips: this.#skips,
      files: this.#files,
    };
  }

  #takeComment(line: string): void {
    const comment = /^( *)# (.*)$/.exec(line);
    if (comment === null) return;
    const text = comment[2] ?? "";
    if (text.startsWith("Subtest: ")) this.#open[depthOf(comment[1])] = text.slice("Subtest: ".length);
    else if (!text.startsWith("time=") && this.#open.length > 0) this.#comments.push(text);
  }

  #takePoint(point: RegExpExecArray, lines: readonly string[], index: number): void {
    const depth = depthOf(point[1]);
    const closes = this.#open[depth] !== undefined;
    const name = point[3] ?? "unnamed";
    const path = [...this.#open.slice(0, depth), name].join(" > ");
    this.#open.length = Math.min(this.#open.length, depth);
    if (depth === 0 && point[5] === "no tests found") this.#takeEmptyFile(name);
    else if (point[4] !== undefined)
      this.#skips.push(`${path} # ${point[4]} ${point[5] || "without a reason"}`);
    const ok = point[2] === "ok";
    if (depth === 0) this.#closeFile(name, ok, lines, index);
    else if (!ok && !closes && point[4] !== "TODO") {
      this.#failures.push({ path, details: detailsAfter(lines, index) });
    }
  }

  #takeEmptyFile(name: string): void {
    this.#emptyFiles += 1;
    this.#failures.push({ path: name, details: ["holds no test: write one or remove the file"] });
  }

  /** A file may fail without a failed assertion: it was killed, timed out, or never reached its tests. */
  #closeFile(name: string, ok: boolean, lines: readonly string[], index: number): void {
    this.#files.push({ name, ok, comments: this.#comments });
    this.#comments = [];
    if (ok || this.#failures.some((failure) => failure.path.startsWith(`${name} > `))) return;
    const telling = /^(exitCode|signal|expired|error|message|command): /;
    const details = detailsAfter(lines, index).filter((line) => telling.test(line));
    this.#failures.push({ path: name, details });
  }
}

/** tap indents a subtest by four spaces. */
function depthOf(indent = ""): number {
  return Math.floor(indent.length / 4);
}

/** The YAML block that may follow a test point. */
function detailsAfter(lines: readonly string[], index: number): readonly string[] {
  const first = lines[index + 1] ?? "";
  if (first.trim() !== "---") return [];
  const indent = first.indexOf("---");
  const end = lines.findIndex((line, at) => at > index + 1 && line.slice(indent) === "...");
  return lines.slice(index + 2, end === -1 ? undefined : end).map((line) => line.slice(indent));
}
