import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type UserIdentityInfo, UserTokenType } from "node-opcua-client";
import { DeviceFault } from "../../domain/errors.ts";
import type { OpcUaUser } from "./bus-config.ts";

/** Read for each connection and kept nowhere, so that a changed password needs no restart. @throws {DeviceFault} */
export async function userIdentity(user: OpcUaUser | undefined): Promise<UserIdentityInfo> {
  if (user === undefined) return { type: UserTokenType.Anonymous };
  if (user.kind === "password") {
    const password = (await readSecret(user.passwordFile, "passwordFile")).replace(/\r?\n$/, "");
    return { type: UserTokenType.UserName, userName: user.name, password };
  }
  const certificate = await readSecret(user.certificateFile, "certificateFile");
  const privateKey = await readSecret(user.keyFile, "keyFile");
  return {
    type: UserTokenType.Certificate,
    certificateData: derOf(certificate, user.certificateFile),
    privateKey,
  };
}

async function readSecret(file: string, key: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new DeviceFault(
      "connection-lost",
      `read ${file}: put the file there, or mend user.${key} of the bus`,
      { cause },
    );
  }
}

/** The reason is not passed on: it might quote what is in the file. */
function derOf(pem: string, file: string): Buffer {
  try {
    return new X509Certificate(pem).raw;
  } catch {
    throw new DeviceFault("connection-lost", `read ${file}: it holds no certificate in PEM`);
  }
}
