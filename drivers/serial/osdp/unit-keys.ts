import { readFile, stat } from "node:fs/promises";
import { UnitKeyError } from "../../driver.ts";
import { KEY_BYTES } from "./secure-channel.ts";

const FILE_MAX_BYTES = 64 * 1_024;
/** Anybody but the owner. */
const OTHERS = 0o077;
const LINE = /^(\d{1,3})\s+([0-9a-f]{32})$/i;
/** SCBK-D, the key that every unit has in install mode: SIA OSDP 2.2 annex D. */
export const INSTALL_KEY = Buffer.from("303132333435363738393a3b3c3d3e3f", "hex");

/**
 * The key of each unit of a line (SCBK), 16 bytes that this unit and this gateway alone hold, by its address. In the file one
 * unit a line: its address and 32 hexadecimal digits; lines that begin with `#` are comments. @throws {UnitKeyError}
 */
export async function readUnitKeys(path: string): Promise<ReadonlyMap<number, Buffer>> {
  const text = await contentOf(path);
  const keys = new Map<number, Buffer>();
  for (const [index, line] of text.split("\n").entries()) {
    const written = line.trim();
    if (written === "" || written.startsWith("#")) continue;
    const at = `${path}, line ${index + 1}`;
    const [, address, hex] = LINE.exec(written) ?? [];
    if (address === undefined || hex === undefined || Number(address) > 126)
      throw new UnitKeyError(
        `${at}: write a unit address from 0 to 126 and its key of ${2 * KEY_BYTES} hexadecimal digits`,
      );
    if (keys.has(Number(address)))
      throw new UnitKeyError(`${at}: unit ${address} has a key above already: remove one`);
    const key = Buffer.from(hex, "hex");
    if (key.equals(INSTALL_KEY))
      throw new UnitKeyError(
        `${at}: this is the key of install mode, which everybody knows: make one with \`nerve unit-key\``,
      );
    keys.set(Number(address), key);
  }
  return keys;
}

async function contentOf(path: string): Promise<string> {
  try {
    const { mode, size } = await stat(path);
    if ((mode & OTHERS) !== 0) throw new UnitKeyError(`${path} can be read by others: \`chmod 600 ${path}\``);
    if (size > FILE_MAX_BYTES) throw new UnitKeyError(`${path} is no key file: it has ${size} bytes`);
    return await readFile(path, "utf8");
  } catch (cause) {
    if (cause instanceof UnitKeyError) throw cause;
    throw new UnitKeyError(
      `${path} can not be read: make it with \`nerve unit-key\`, or mend keyFile in the site file`,
      { cause },
    );
  }
}
