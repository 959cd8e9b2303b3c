import { join, resolve } from "node:path";
import { z } from "zod";
import { Millis } from "../../domain/time.ts";
import { AddressError, type SiteFolders } from "../driver.ts";
import { durationSetting } from "../duration-setting.ts";
import { parseSetting } from "../parse-setting.ts";

/** How to reach one OPC UA server: one endpoint, one session, one subscription. */
export interface OpcUaBusConfig {
  /** `opc.tcp://host:port/path`. */
  readonly endpoint: string;
  readonly security: ChannelSecurity;
  /** Absolute; holds the gateway's own application certificate, which a session names even without security. */
  readonly keyFolder: string;
  /** Who the gateway says it is; absent: nobody (anonymous). */
  readonly user?: OpcUaUser;
  /** 100 ms … 60 s, default 500 ms: how often the server tells changes. */
  readonly publishInterval: Millis;
  /** 100 ms … 60 s, default 10 s: from the first SYN to the session that is ready. */
  readonly connectTimeout: Millis;
  /** 10 ms … 60 s; absent: the field host's own. */
  readonly requestTimeout?: Millis;
  /** Most nodes in one request: 1 … 1,000, default 100. The server's own limits lower it further. */
  readonly itemsPerCall: number;
}

/** `none` has to be said: whoever is on the network then reads and commands along. */
export type ChannelSecurity =
  | { readonly mode: "none" }
  | {
      readonly mode: "sign" | "sign-and-encrypt";
      readonly policy: SecurityPolicyName;
      /** SHA-256 fingerprints, 64 hexadecimal digits in lower case. */
      readonly trustedServers: readonly string[];
      /** Absolute; its `.der`, `.crt` and `.pem` files are trusted too. */
      readonly trustFolder?: string;
    };

/** Secrets stay in their files: a configuration is shown, logged and sent. Paths are absolute. */
export type OpcUaUser =
  | { readonly kind: "password"; readonly name: string; readonly passwordFile: string }
  | { readonly kind: "certificate"; readonly certificateFile: string; readonly keyFile: string };

/** OPC 10000-7 §6.6: those that are not deprecated. */
export const SECURITY_POLICIES = ["Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"] as const;
export type SecurityPolicyName = (typeof SECURITY_POLICIES)[number];

const ENDPOINT = "the server's address, e.g. opc.tcp://10.20.3.12:4840";
const SECURITY =
  "none, or { mode: sign-and-encrypt, policy: Basic256Sha256 }; none must be said: anybody on the network can then command along";
const POLICY = `one of ${SECURITY_POLICIES.join(", ")}`;
const FINGERPRINT =
  "the SHA-256 fingerprint of the server's certificate: 64 hexadecimal digits, with or without colons";
const USER = "{ name, passwordFile } or { certificateFile, keyFile }";
const PATH = "a path, relative to the site file";
const ITEMS = "a number of nodes from 1 to 1000";

const path = z.string(PATH).min(1, PATH).max(1_000, PATH);
const fingerprint = z
  .string(FINGERPRINT)
  .transform((text) => text.replaceAll(/[:\s]/g, "").toLowerCase())
  .refine((hex) => /^[0-9a-f]{64}$/.test(hex), FINGERPRINT);

const CONFIG = z.strictObject(
  {
    endpoint: z.string(ENDPOINT).max(500, ENDPOINT).refine(isEndpoint, ENDPOINT),
    security: z.union(
      [
        z.literal("none"),
        z.strictObject({
          mode: z.enum(["sign", "sign-and-encrypt"], "sign or sign-and-encrypt"),
          policy: z.enum(SECURITY_POLICIES, POLICY).default("Basic256Sha256"),
        }),
      ],
      SECURITY,
    ),
    trustedServer: z
      .union([fingerprint, z.array(fingerprint, FINGERPRINT).min(1).max(8)], FINGERPRINT)
      .optional(),
    trustFolder: path.optional(),
    user: z
      .union(
        [
          z.strictObject({ name: z.string(USER).min(1, USER).max(200, USER), passwordFile: path }),
          z.strictObject({ certificateFile: path, keyFile: path }),
        ],
        USER,
      )
      .optional(),
    publishInterval: durationSetting("100 ms", "60 s", "500 ms").default(Millis(500)),
    connectTimeout: durationSetting("100 ms", "60 s", "10 s").default(Millis(10_000)),
    requestTimeout: durationSetting("10 ms", "60 s", "1 s").optional(),
    itemsPerCall: z.int(ITEMS).min(1, ITEMS).max(1_000, ITEMS).default(100),
  },
  "{ endpoint: opc.tcp://10.20.3.12:4840, security: { mode: sign-and-encrypt } }",
);
type Written = z.output<typeof CONFIG>;

/** @throws {AddressError} */
export function parseBusConfig(data: unknown, folders?: SiteFolders): OpcUaBusConfig {
  const written = parseSetting(CONFIG, data);
  const { endpoint, publishInterval, connectTimeout, requestTimeout, itemsPerCall } = written;
  const place = folders ?? { site: resolve("."), data: resolve(".") };
  if (written.security === "none") refuseUseless(written);
  const user = userOf(written.user, place);
  return {
    endpoint,
    security: securityOf(written, place),
    keyFolder: join(place.data, "opcua"),
    publishInterval,
    connectTimeout,
    itemsPerCall,
    ...(requestTimeout !== undefined && { requestTimeout }),
    ...(user !== undefined && { user }),
  };
}

/** What security none could not keep: a password on the wire, a server that nobody can tell from another. */
function refuseUseless({ trustedServer, trustFolder, user }: Written): void {
  const remedy = "take security: { mode: sign-and-encrypt }";
  for (const [key, value] of Object.entries({ trustedServer, trustFolder })) {
    if (value === undefined) continue;
    throw new AddressError(
      `/${key}`,
      "no such key with security none",
      `without security no certificate is looked at: ${remedy}, or remove ${key}`,
    );
  }
  if (user === undefined) return;
  throw new AddressError(
    "/user",
    "no user with security none",
    `a password would cross the network in the clear: ${remedy}, or remove user`,
  );
}

function securityOf(
  { security, trustedServer = [], trustFolder }: Written,
  place: SiteFolders,
): ChannelSecurity {
  if (security === "none") return { mode: "none" };
  return {
    ...security,
    trustedServers: [trustedServer].flat(),
    ...(trustFolder !== undefined && { trustFolder: resolve(place.site, trustFolder) }),
  };
}

function userOf(user: Written["user"], { site }: SiteFolders): OpcUaUser | undefined {
  if (user === undefined) return undefined;
  if ("name" in user)
    return { kind: "password", name: user.name, passwordFile: resolve(site, user.passwordFile) };
  const { certificateFile, keyFile } = user;
  return {
    kind: "certificate",
    certificateFile: resolve(site, certificateFile),
    keyFile: resolve(site, keyFile),
  };
}

function isEndpoint(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  return protocol === "opc.tcp:" && hostname !== "" && username + password === "";
}
