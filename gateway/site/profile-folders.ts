import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

/** Where a profile was found; more than one file means that nobody can tell which is meant. */
export type FoundProfiles = ReadonlyMap<string, readonly string[]>;

/** Largest profile file, in bytes: 1,000 points with comments are far below. */
export const PROFILE_BYTES_MAX = 256 * 1024;
/** Most files looked at in one folder and its sub-folders. */
const FILES_MAX = 5_000;

/** The profile files below these folders, by id. @throws {Error} of the file system when a folder can not be read. */
export async function findProfiles(folders: readonly string[]): Promise<FoundProfiles> {
  const found = new Map<string, string[]>();
  for (const folder of folders) {
    const names = (await readdir(folder, { recursive: true })).toSorted().slice(0, FILES_MAX);
    for (const name of names) {
      const id = /([^/\\]+)\.ya?ml$/.exec(name)?.[1];
      if (id === undefined) continue;
      found.set(id, [...(found.get(id) ?? []), join(folder, name)]);
    }
  }
  return found;
}

export type BoundedText =
  | { readonly text: string }
  | { readonly complaint: { readonly found: string; readonly expected: string; readonly remedy: string } };

/** A UTF-8 file of at most `bytesMax`. @throws {Error} of the file system. */
export async function readBounded(file: string, bytesMax: number): Promise<BoundedText> {
  const { size } = await stat(file);
  if (size > bytesMax) {
    const expected = `at most ${bytesMax} bytes`;
    return { complaint: { found: `${size} bytes`, expected, remedy: "use `repeat`, or split the file" } };
  }
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(await readFile(file)) };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return {
      complaint: { found: "bytes that are no UTF-8", expected: "UTF-8", remedy: "save the file as UTF-8" },
    };
  }
}
