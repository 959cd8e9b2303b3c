import { randomBytes } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { DeviceFault } from "../../../domain/errors.ts";
import { type DriverContext, type KeyedUnit, UnitKeyError } from "../../driver.ts";
import { openByteLine } from "../../line/open-line.ts";
import type { OsdpBusConfig } from "./osdp-bus-config.ts";
import { COMMAND } from "./osdp-codes.ts";
import { OsdpConversation, type UnitKey } from "./osdp-conversation.ts";
import { PanelLine } from "./osdp-line.ts";
import { KEY_BYTES } from "./secure-channel.ts";
import { INSTALL_KEY, readUnitKeys } from "./unit-keys.ts";

/** Type of a key in KEYSET: the unit's own (SCBK). */
const OWN_KEY_TYPE = 1;
const NO_DATA = new Uint8Array();

/**
 * Gives the unit a key of its own, made by chance, and writes that into the key file. The new key is on disk before the unit
 * hears of it, so a power cut at any point leaves a key with which the unit can be spoken to; another call goes on from there.
 * @throws {DeviceFault | UnitKeyError}
 */
export async function giveUnitKey(
  config: OsdpBusConfig,
  { address: written, before }: KeyedUnit,
  context: DriverContext,
  signal: AbortSignal,
): Promise<void> {
  const { security } = config;
  const unit = { address: Number(written), before };
  if (security.mode === "off")
    throw new UnitKeyError("this bus has security off in the site file: write { mode: required, keyFile }");
  const { keyFile } = security;
  const pendingFile = `${keyFile}.unit-${unit.address}`;
  const bytes = await openByteLine(config.line, context, signal);
  const line = new PanelLine({
    bytes,
    clock: context.clock,
    replyTimeout: config.replyTimeout,
    frames: context.frames,
  });
  const speak = (key: UnitKey): OsdpConversation =>
    new OsdpConversation({
      address: unit.address,
      line,
      key,
      random: randomBytes,
      clock: context.clock,
      requestTimeout: context.requestTimeout,
      quiet: config.replyTimeout,
    });
  try {
    const pending = await findPending(pendingFile);
    const key: UnitKey = { kind: "own", bytes: pending ?? randomBytes(KEY_BYTES) };
    if (pending === undefined || !(await isTaken(speak(key), unit.address, signal))) {
      await writeFile(pendingFile, `${unit.address} ${key.bytes.toString("hex")}\n`, {
        mode: 0o600,
        flush: true,
      });
      await setKey(speak(await keyBefore(unit, keyFile)), { address: unit.address, key: key.bytes }, signal);
      await speak(key).ask(
        { code: COMMAND.poll, data: NO_DATA, label: `poll unit ${unit.address} with its new key` },
        signal,
      );
    }
    await keep(keyFile, unit.address, key.bytes);
    await rm(pendingFile);
  } finally {
    line.close();
    await bytes[Symbol.asyncDispose]();
  }
}

/** The key of a call that was cut short. */
async function findPending(path: string): Promise<Buffer | undefined> {
  try {
    const [key] = (await readUnitKeys(path)).values();
    return key;
  } catch {
    return undefined;
  }
}

async function isTaken(
  conversation: OsdpConversation,
  address: number,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await conversation.ask(
      { code: COMMAND.poll, data: NO_DATA, label: `poll unit ${address} with its new key` },
      signal,
    );
    return true;
  } catch (error) {
    if (error instanceof DeviceFault && error.code === "malformed-reply") return false;
    throw error;
  }
}

async function keyBefore(
  unit: { readonly address: number; readonly before: KeyedUnit["before"] },
  keyFile: string,
): Promise<UnitKey> {
  if (unit.before === "install") return { kind: "install", bytes: INSTALL_KEY };
  const bytes = (await readUnitKeys(keyFile)).get(unit.address);
  if (bytes !== undefined) return { kind: "own", bytes };
  throw new UnitKeyError(
    `${keyFile} has no key of unit ${unit.address} to begin from: a unit in install mode needs no --replace`,
  );
}

async function setKey(
  conversation: OsdpConversation,
  unit: { readonly address: number; readonly key: Buffer },
  signal: AbortSignal,
): Promise<void> {
  const label = `give unit ${unit.address} a key`;
  const data = Uint8Array.from([OWN_KEY_TYPE, KEY_BYTES, ...unit.key]);
  await conversation.ask({ code: COMMAND.keySet, data, label }, signal);
}

/** Puts the unit's line into the file, whole or not at all. */
async function keep(path: string, address: number, key: Buffer): Promise<void> {
  const lines = (await contentOf(path))
    .split("\n")
    .filter((line) => !new RegExp(`^\\s*0*${address}\\s`).test(line));
  const others = lines.filter((line) => line.trim() !== "");
  const text = `${[...others, `${address} ${key.toString("hex")}`].join("\n")}\n`;
  const fresh = `${path}.new`;
  await writeFile(fresh, text, { mode: 0o600, flush: true });
  await rename(fresh, path);
}

async function contentOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return "";
    throw new UnitKeyError(`${path} can not be read`, { cause });
  }
}
