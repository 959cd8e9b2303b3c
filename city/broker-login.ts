import { randomBytes, scryptSync } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

const login = z.object({ username: z.string(), password: z.string(), passwordFile: z.string() });
/** How to reach the gateway's MQTT broker; made once a gateway folder, readable by its owner only. */
export type BrokerLogin = z.infer<typeof login>;

/** Gives the city's own MQTT user, and makes it with a password of its own at the first start. */
export async function makeBrokerLogin(folder: string): Promise<BrokerLogin> {
  const path = join(folder, "mqtt-login.json");
  const known = await readFile(path, "utf8").catch(() => undefined);
  if (known !== undefined) return login.parse(JSON.parse(known));
  const password = randomBytes(18).toString("base64url");
  const salt = randomBytes(16);
  const hash = scryptSync(password, salt, 32);
  const passwordFile = join(folder, "mqtt-passwords");
  const line = `city:operator:scrypt:${salt.toString("hex")}:${hash.toString("hex")}\n`;
  await writeFile(passwordFile, line, { mode: 0o600 });
  const made: BrokerLogin = { username: "city", password, passwordFile };
  await writeFile(path, `${JSON.stringify(made)}\n`, { mode: 0o600 });
  return made;
}
