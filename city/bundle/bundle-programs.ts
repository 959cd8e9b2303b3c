import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { build, type Metafile, type Plugin } from "esbuild";
import {
  BUNDLES,
  ENTRIES,
  INPUTS_NAME,
  type Inputs,
  LOCK_OF_PACKAGES,
  ROOT,
  stampOf,
} from "./built-programs.ts";

/** Node finds their binaries beside their own files; the last is asked for by a package that works without it. */
const LEFT_OUT = ["better-sqlite3", "@serialport/bindings-cpp", "@lydell/node-pty", "proper-lockfile"];

/** What is said of its own place in a source file, which is another one in a bundle. */
const PLACE =
  /new URL\("(\.[^"]+)", import\.meta\.url\)|import\.meta\.(?:url|dirname)|\b__(?:dirname|filename)\b/g;

/** Files of the bundles that a program loads when it needs them. */
export type LoadedLater = readonly string[];

/**
 * Bundles the programs of the city into `folder`, which is emptied first: one file each, and what several share beside them. A
 * program that starts reads a dozen files instead of a thousand. The sources stay where they are found: migrations, profiles and the console lie there.
 */
export async function bundlePrograms(folder: string = BUNDLES): Promise<LoadedLater> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const toRoot = slashed(relative(folder, ROOT));
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: { ...ENTRIES },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node22.18",
    outdir: folder,
    external: LEFT_OUT,
    banner: { js: beginOf(toRoot) },
    plugins: [ownPlaces(toRoot)],
    metafile: true,
    logLevel: "silent",
  });
  // Last: bundles without it count for nothing.
  await writeFile(join(folder, INPUTS_NAME), `${JSON.stringify(inputsOf(metafile))}\n`);
  return Object.entries(metafile.outputs)
    .filter(([, { entryPoint }]) => entryPoint !== undefined && !isProgram(entryPoint))
    .map(([path]) => join(ROOT, path));
}

/** Each file of the bundles begins with these lines; no source uses the names. */
function beginOf(toRoot: string): string {
  return [
    'import { createRequire as nerve$createRequire } from "node:module";',
    'import { fileURLToPath as nerve$pathOf } from "node:url";',
    "const require = nerve$createRequire(import.meta.url);",
    `const nerve$root = new URL("${toRoot}/", import.meta.url);`,
  ].join("\n");
}

/** The sources of ours and the lock of the packages, as they are. */
function inputsOf({ inputs }: Metafile): Inputs {
  const own = Object.keys(inputs).filter((path) => !path.startsWith("node_modules/"));
  return Object.fromEntries([...own, LOCK_OF_PACKAGES].map((path) => [path, stampOf(path)]));
}

/** A file goes on saying where its source lies; where it names a program or a thread, the bundle of that. */
function ownPlaces(toRoot: string): Plugin {
  return {
    name: "own-places",
    setup({ onResolve, onLoad }) {
      const guard = { path: `${toRoot}/node-version.js`, external: true };
      onResolve({ filter: /\/node-version\.js$/ }, () => guard);
      onLoad({ filter: /\.[cm]?[jt]s$/ }, async ({ path }) => {
        const text = await readFile(path, "utf8");
        const contents = text.replace(PLACE, (said, named: string | undefined) => placeIn(path, said, named));
        return { contents, loader: /\.[cm]?ts$/.test(path) ? "ts" : "js" };
      });
    },
  };
}

function placeIn(path: string, said: string, named: string | undefined): string {
  const program = named === undefined ? undefined : programAt(join(dirname(path), named));
  if (program !== undefined) return `new URL("./${program}.js", import.meta.url)`;
  const at = said.endsWith("dirname") ? dirname(path) : path;
  const url = `new URL(${JSON.stringify(fromRoot(at))}, nerve$root)`;
  if (named !== undefined) return `new URL(${JSON.stringify(named)}, ${url})`;
  return said.endsWith("url") ? `${url}.href` : `nerve$pathOf(${url})`;
}

function programAt(path: string): string | undefined {
  return Object.entries(ENTRIES).find(([, source]) => source === fromRoot(path))?.[0];
}

function isProgram(source: string): boolean {
  return programAt(join(ROOT, source)) !== undefined;
}

function fromRoot(path: string): string {
  return slashed(relative(ROOT, path));
}

function slashed(path: string): string {
  return path.split(sep).join("/");
}
