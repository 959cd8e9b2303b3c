import { globSync, readFileSync, statSync } from "node:fs";
import { join, sep } from "node:path";

/** A text file of the project; `path` is relative to its root, with `/`. */
export interface ProjectFile {
  readonly path: string;
  readonly text: string;
}

/** What is wrong, where, and what to do about it. */
export interface Finding {
  /** `path` or `path:line`. */
  readonly at: string;
  readonly says: string;
  readonly remedy: string;
}

/** Looks at the whole project, so that a planted project can be given to it as well. */
export type TidyCheck = (files: readonly ProjectFile[]) => readonly Finding[];

const LEFT_OUT = new Set(["node_modules", ".git", "dist", ".tap", ".nerve", "coverage"]);
const TEXT =
  /\.(ts|tsx|js|cjs|mjs|json|md|yaml|yml|sql|html|css|svg|txt|sh)$|(^|\/)(run|\.taprc|\.gitignore|\.npmrc)$/;

export function readProject(root: string): readonly ProjectFile[] {
  const paths = globSync(["**/*", "**/.*", ".ci/*"], { cwd: root, exclude: (name) => LEFT_OUT.has(name) });
  return [...new Set(paths.map((path) => path.split(sep).join("/")))]
    .filter((path) => TEXT.test(path) && path !== "package-lock.json" && statSync(join(root, path)).isFile())
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

/** Code that ships or runs the city; tests and benchmarks have wider limits. */
export function isProduct(path: string): boolean {
  return /^(domain|drivers|gateway|cloud-sync|simulators|city)\//.test(path);
}

export function isCode(path: string): boolean {
  return /\.(ts|tsx|js|cjs|mjs)$/.test(path) && !path.includes("/console/vendor/");
}

/** The findings of `pattern` in a text, line by line. */
export function findLines(
  file: ProjectFile,
  pattern: RegExp,
): readonly { readonly at: string; readonly line: string }[] {
  return file.text
    .split("\n")
    .map((line, index) => ({ at: `${file.path}:${index + 1}`, line }))
    .filter(({ line }) => pattern.test(line));
}
