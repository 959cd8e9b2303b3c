import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { build } from "esbuild";

const SOURCES = import.meta.dirname;
export const CONSOLE_DIST = join(SOURCES, "dist");

/** Bytes of each file written, by name. */
export type BuiltConsole = Readonly<Record<string, number>>;

/** Bundles the console into `folder`, which is emptied first: one page, one script, one style sheet, the contours. */
export async function buildConsole(folder: string = CONSOLE_DIST): Promise<BuiltConsole> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const { outputFiles } = await build({
    entryPoints: [
      { in: join(SOURCES, "app/main.tsx"), out: "console" },
      { in: join(SOURCES, "style/console.css"), out: "console" },
      { in: join(SOURCES, "assets/communes.geojson"), out: "communes" },
    ],
    bundle: true,
    format: "esm",
    target: ["chrome120", "firefox121", "safari17"],
    minify: true,
    // Everything comes from our own origin: what is needed lies in the bundle or beside it.
    loader: { ".geojson": "copy" },
    jsx: "automatic",
    jsxImportSource: "preact",
    entryNames: "[name]-[hash]",
    legalComments: "none",
    outdir: folder,
    write: false,
    logLevel: "silent",
  });
  const sizes: Record<string, number> = {};
  for (const { path, contents } of outputFiles) {
    sizes[basename(path)] = contents.byteLength;
    await writeFile(path, contents);
  }
  const page = await pageFor(Object.keys(sizes));
  sizes["index.html"] = Buffer.byteLength(page);
  await writeFile(join(folder, "index.html"), page);
  return sizes;
}

/** The page names the files by their hashed names; their place is its own, so it stands under any prefix. */
async function pageFor(names: readonly string[]): Promise<string> {
  const template = await readFile(join(SOURCES, "index.html"), "utf8");
  const named = (extension: string): string => {
    const name = names.find((each) => each.endsWith(extension));
    if (name === undefined) throw new Error(`bundle the console: no ${extension} file came out`);
    return name;
  };
  return template
    .replace("console.css", named(".css"))
    .replace("console.js", named(".js"))
    .replace("communes.geojson", named(".geojson"));
}
