import { lstatSync, type Stats } from "node:fs";
import { chmod, lstat, mkdir, mkdtemp, rename, rm, rmdir, unlink, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { SOCKET_PATH_MAX_BYTES, type SocketPlace, socketPlaceFor } from "./client/socket-place.ts";

const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;

export const SOCKET_FAULTS = {
  "in-use": "stop that gateway first, or give this one another dataFolder in its site file",
  "not-a-socket": "move that file away, then start again",
  "unsafe-folder":
    "remove that folder, or set TMPDIR to a folder that only this user can write, then start again",
  "too-long": "give the gateway a dataFolder with a shorter path, or set TMPDIR to a short one",
} as const;

/** The socket of the local API can not be had; the message ends in what to do. */
export class SocketError extends Error {
  override readonly name = "SocketError";
  readonly code: keyof typeof SOCKET_FAULTS;
  constructor(code: keyof typeof SOCKET_FAULTS, what: string) {
    super(`${what}: ${SOCKET_FAULTS[code]} (${code})`);
    this.code = code;
  }
}

/** Asks whoever listens who it is, for people: `gateway gw-dijon, process 4242`. */
export type AskOwner = (socketPath: string) => Promise<string>;

/** A place for the socket that was made ready: bind at `bindPath`, then `publish`. */
export interface SocketClaim extends AsyncDisposable {
  readonly path: string;
  /** In a folder that only this user can enter, so nobody can connect before the mode is set. */
  readonly bindPath: string;
  /** Sets the mode and moves the bound socket, at once, to where clients look; a dead one there is replaced. */
  publish(): Promise<void>;
}

/** @throws {SocketError} when a living gateway or something else has the place. */
export async function claimSocket(dataFolder: string, askOwner: AskOwner): Promise<SocketClaim> {
  const place = socketPlaceFor(dataFolder);
  const folder = dirname(place.path);
  if (Buffer.byteLength(place.path) > SOCKET_PATH_MAX_BYTES)
    throw new SocketError("too-long", `listen on ${place.path}`);
  await makePrivateFolder(place, folder);
  await refuseLiving(place.path, askOwner);
  // As long as "/nerve.sock": what fits there fits here.
  const bindFolder = await mkdtemp(join(folder, ".n"));
  let published: Stats | undefined;
  return {
    path: place.path,
    bindPath: join(bindFolder, "s"),
    async publish() {
      await chmod(join(bindFolder, "s"), PRIVATE_FILE);
      await rename(join(bindFolder, "s"), place.path);
      published = lstatSync(place.path);
      await rmdir(bindFolder);
      if (place.pointerFile === null) return;
      await writeFile(`${place.pointerFile}.new`, `${place.path}\n`, { mode: PRIVATE_FILE });
      await rename(`${place.pointerFile}.new`, place.pointerFile);
    },
    async [Symbol.asyncDispose]() {
      await rm(bindFolder, { recursive: true, force: true });
      if (published === undefined || !(await isSame(place.path, published))) return;
      await unlink(place.path);
      if (place.pointerFile === null) return;
      await rm(place.pointerFile, { force: true });
      await rmdir(folder);
    },
  };
}

async function makePrivateFolder(place: SocketPlace, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER });
  if (place.pointerFile === null) return;
  // Under the system's folder anyone could have made it first, and would then own what we put there.
  const stats = await lstat(folder);
  const isOurs = stats.isDirectory() && stats.uid === process.getuid?.() && (stats.mode & 0o077) === 0;
  if (!isOurs) throw new SocketError("unsafe-folder", `use ${folder}, which others may enter`);
}

async function refuseLiving(path: string, askOwner: AskOwner): Promise<void> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined) return;
  if (!stats.isSocket()) throw new SocketError("not-a-socket", `listen on ${path}, where a file stands`);
  if (await isAnswered(path))
    throw new SocketError("in-use", `listen on ${path}, which ${await askOwner(path)} has`);
}

/** Whether somebody accepts connections there; a socket file outlives a killed process. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error) => resolve(!("code" in error && error.code === "ECONNREFUSED")));
  });
}

async function isSame(path: string, published: Stats): Promise<boolean> {
  const stats = await lstat(path).catch(() => undefined);
  return stats !== undefined && stats.ino === published.ino && stats.dev === published.dev;
}
