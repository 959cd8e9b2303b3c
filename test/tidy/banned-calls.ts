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
const EXEMPT = /^(domain\/(system-clock|system-random)\.ts|domain\/node-version\.js|simulators\/clock\.ts)$/;
const MAIN = /(^|\/)([a-z-]+-)?main\.ts$/;

export function findBannedCalls(files: readonly ProjectFile[]): readonly Finding[] {
  const looked = files.filter(({ path }) => isCode(path) && isProduct(path) && !EXEMPT.test(path));
  // The console runs in a browser, on the browser's clock.
  return looked.filter(({ path }) => !path.startsWith("cloud-sync/console/")).flatMap(inFile);
}

function inFile(file: ProjectFile): readonly Finding[] {
  const calls = findSyntax(file, (node) => ts.isCallExpression(node) || ts.isNewExpression(node));
  const banned = calls.flatMap(({ node, line }): readonly Finding[] => {
    const name = nameOfCall(node);
    const remedy = Object.hasOwn(BANNED, name) ? BANNED[name] : undefined;
    if (remedy === undefined || (name === "process.exit" && MAIN.test(file.path))) return [];
    return [{ at: `${file.path}:${line}`, says: `calls ${name}`, remedy: `use ${remedy}` }];
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

/** `new Date` only without arguments: with them it reads no clock. */
function nameOfCall(node: ts.CallExpression | ts.NewExpression): string {
  const name = node.expression.getText().replace(/^globalThis\./, "");
  if (ts.isCallExpression(node) || name === "Function") return name;
  return (node.arguments?.length ?? 0) === 0 ? `new ${name}` : "";
}
