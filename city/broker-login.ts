import { randomBytes, scryptSync } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

const login = z.object({ username: z.string(), password: z.string(), passwordFile: z.string() });
/** How to reach the gateway's MQTT broker; made once a gateway folder, readable by its owner only. */
export type BrokerLogin = z.infer<typeof login>;

interface Credential {
  readonly password: string;
  /** Of the password file. */
  readonly line: string;
}
/** Of this start: hashing one takes 50 ms of CPU, and a city has 23 gateways. */
let credential: Credential | undefined;

function makeCredential(): Credential {
  const password = randomBytes(18).toString("base64url");
  const salt = randomBytes(16);
  const hash = scryptSync(password, salt, 32);
  return { password, line: `city:operator:scrypt:${salt.toString("hex")}:${hash.toString("hex")}\n` };
}

/** Gives the city's own MQTT user at this gateway; its password is made at the gateway's first start. */
export async function makeBrokerLogin(folder: string): Promise<BrokerLogin> {
  const path = join(folder, "mqtt-login.json");
  const known = await readFile(path, "utf8").catch(() => undefined);
  if (known !== undefined) return login.parse(JSON.parse(known));
  credential ??= makeCredential();
  const { password, line } = credential;
  const passwordFile = join(folder, "mqtt-passwords");
  await writeFile(passwordFile, line, { mode: 0o600 });
  const made: BrokerLogin = { username: "city", password, passwordFile };
  await writeFile(path, `${JSON.stringify(made)}\n`, { mode: 0o600 });
  return made;
}
