import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Linux `sun_path` holds 108 bytes with the closing zero (unix(7)). */
export const SOCKET_PATH_MAX_BYTES = 107;
const POINTER_MAX_BYTES = 4_096;

/** Where the local API of one gateway listens. */
export interface SocketPlace {
  readonly path: string;
  /** Tells clients of a socket that could not stand in the data folder itself; `null`: none is needed. */
  readonly pointerFile: string | null;
}

/** In the data folder, or, where that path is too long for a socket, in a folder of this user under the system's own. */
export function socketPlaceFor(dataFolder: string, temporaryFolder: string = tmpdir()): SocketPlace {
  const path = join(dataFolder, "nerve.sock");
  if (Buffer.byteLength(path) <= SOCKET_PATH_MAX_BYTES) return { path, pointerFile: null };
  const hash = createHash("sha256").update(dataFolder).digest("hex").slice(0, 16);
  const user = process.getuid?.() ?? 0;
  const short = join(temporaryFolder, `nerve-${user}-${hash}`, "nerve.sock");
  const fits = Buffer.byteLength(short) <= SOCKET_PATH_MAX_BYTES;
  return {
    path: fits ? short : join("/tmp", `nerve-${user}-${hash}`, "nerve.sock"),
    pointerFile: `${path}.path`,
  };
}

/** Where a client looks: the pointer file if there is one, else the data folder. */
export function findSocket(dataFolder: string): string {
  const path = join(dataFolder, "nerve.sock");
  try {
    const told = readFileSync(`${path}.path`, "utf8").trim();
    return told !== "" && told.length <= POINTER_MAX_BYTES ? told : path;
  } catch {
    return path;
  }
}
