import ts from "typescript";
import { type Finding, isCode, isProduct, type ProjectFile } from "./project-file.ts";
import { findImports, findSyntax } from "./syntax.ts";

/** Time and chance come from outside (STYLE 30), so that a whole city can be simulated from one seed. */
const BANNED: Readonly<Record<string, string>> = {
  "Date.now": "clock.now()",
  "new Date": "clock.now(); a Date from a given instant is fine",
  "performance.now": "clock.uptime()",
  "process.hrtime": "clock.uptime()",
  "process.hrtime.bigint": "clock.uptime()",
  setTimeout: "clock.sleep(duration, signal) or clock.schedule(duration, callback)",
  setInterval: "a loop with clock.sleep(duration, signal)",
  "AbortSignal.timeout": "clock.schedule(duration, () => controller.abort(reason))",
  "Math.random": "the injected RandomSource",
  "process.exit": "return, and let main.ts set process.exitCode",
  eval: "data, parsed",
  Function: "data, parsed",
};

/** The places that are the clock, the chance, or the way out. */
const EXEMPT = /^(domain\/(system-clock|system-random|system\/heap)\.ts|simulators\/clock\.ts)$/;
const MAIN = /(^|\/)([a-z-]+-)?main\.ts$/;

export function findBannedCalls(files: readonly ProjectFile[]): readonly Finding[] {
  const looked = files.filter(({ path }) => isCode(path) && isProduct(path) && !EXEMPT.test(path));
  // The console runs in a browser, on the browser's clock.
  return looked.filter(({ path }) => !path.startsWith("cloud-sync/console/")).flatMap(inFile);
}

function inFile(file: ProjectFile): readonly Finding[] {
  const uses = findSyntax(file, (node): node is ts.Node => nameOfUse(node) !== "");
  const banned = uses.flatMap(({ node, line }): readonly Finding[] => {
    const name = nameOfUse(node);
    const remedy = Object.hasOwn(BANNED, name) ? BANNED[name] : undefined;
    if (remedy === undefined || (name === "process.exit" && MAIN.test(file.path))) return [];
    return [{ at: `${file.path}:${line}`, says: `uses ${name}`, remedy: `use ${remedy}` }];
  });
  const timers = findImports(file)
    .filter(({ path }) => /^(node:)?timers(\/promises)?$/.test(path))
    .map(({ path, line }) => ({
      at: `${file.path}:${line}`,
      says: `imports ${path}`,
      remedy: "use clock.sleep(duration, signal)",
    }));
  return [...banned, ...timers];
}

/**
 * A member like `Date.now` counts wherever it stands, because it may be handed on; a bare name only where it is
 * called. `new Date` counts without arguments: with them it reads no clock.
 */
function nameOfUse(node: ts.Node): string {
  if (ts.isPropertyAccessExpression(node)) return isPartOfLonger(node) ? "" : bare(node);
  if (ts.isCallExpression(node)) return ts.isIdentifier(node.expression) ? bare(node.expression) : "";
  if (!ts.isNewExpression(node)) return "";
  const name = bare(node.expression);
  if (name === "Function") return name;
  return (node.arguments?.length ?? 0) === 0 ? `new ${name}` : "";
}

function isPartOfLonger(node: ts.PropertyAccessExpression): boolean {
  return ts.isPropertyAccessExpression(node.parent) && Object.hasOwn(BANNED, bare(node.parent));
}

function bare(node: ts.Node): string {
  return node.getText().replace(/^globalThis\./, "");
}
