import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { join } from "node:path";
import { readOrMake } from "./secret-files.ts";

/** An Ed25519 key in a file of its own. */
export interface SigningKey {
  readonly privateKey: KeyObject;
  /** SPKI, PEM: what gateways check with. */
  readonly publicKey: string;
}

/** Signs orders; only the command authority holds it, never the transport (I31). Made at the first start. */
export function openCommandKey(folder: string): Promise<SigningKey> {
  return openKey(join(folder, "command-key.pem"));
}

/** Signs the center's time in WELCOME. */
export function openTimeKey(folder: string): Promise<SigningKey> {
  return openKey(join(folder, "time-key.pem"));
}

async function openKey(path: string): Promise<SigningKey> {
  const text = await readOrMake(path, () =>
    generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  );
  const privateKey = createPrivateKey(text);
  const publicKey = createPublicKey(privateKey).export({ type: "spki", format: "pem" }).toString();
  return { privateKey, publicKey };
}
