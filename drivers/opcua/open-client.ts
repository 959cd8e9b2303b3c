import {
  type EndpointDescription,
  MessageSecurityMode,
  OPCUAClient,
  type OPCUAClientOptions,
  SecurityPolicy,
  setErrorLogger,
  setWarningLogger,
} from "node-opcua-client";
import { DeviceFault } from "../../domain/errors.ts";
import type { DriverContext } from "../driver.ts";
import type { ChannelSecurity, OpcUaBusConfig } from "./bus-config.ts";
import { ownCertificate } from "./own-certificate.ts";
import type { RawSession } from "./raw-session.ts";
import { DecidedTrust, requireTrusted } from "./server-trust.ts";
import { serviceResultOf } from "./service-fault.ts";
import { userIdentity } from "./user-identity.ts";

/** A client with its session; the library reconnects nothing by itself: the field host opens a new one. */
export interface OpenClient {
  readonly client: OPCUAClient;
  readonly session: RawSession;
}

/** Takes every client that may hold a socket, from the moment it may. */
export type ClientKeeper = (client: OPCUAClient) => void;

const MODES = {
  sign: MessageSecurityMode.Sign,
  "sign-and-encrypt": MessageSecurityMode.SignAndEncrypt,
} as const;
/** The server forgets a session that was cut after this time; cabinets have few. */
const SESSION_TIMEOUT_MS = 30_000;
/** Longer than anything that we wait for ourselves: the library's own time-outs break the connection. */
const LIBRARY_TIMEOUT_MS = 120_000;
/** A certificate of 2,048 bits has 0.8 KB; this is a chain of several, or nonsense. */
const CERTIFICATE_BYTES_MAX = 65_536;

/** Opens a channel as the configuration says, and a session in it. @throws {DeviceFault} */
export async function openClient(
  config: OpcUaBusConfig,
  { clock }: DriverContext,
  keep: ClientKeeper,
): Promise<OpenClient> {
  silenceLibrary();
  const { endpoint, security } = config;
  const own = await ownCertificate(config.keyFolder, clock.now());
  const basic = { ...BASIC, applicationUri: own.applicationUri, certificateKeyPairProvider: own.keys };
  const secured = security.mode === "none" ? {} : await securedOptions(security, { endpoint, basic, keep });
  const client = OPCUAClient.create({ ...basic, ...secured });
  keep(client);
  await attempt(`connect to ${endpoint}`, () => client.connect(endpoint));
  const identity = await userIdentity(config.user);
  const session = await attempt(`open a session on ${endpoint}${asWhom(config)}`, () =>
    client.createSession(identity),
  );
  return { client, session: session as RawSession };
}

const BASIC: OPCUAClientOptions = {
  applicationName: "Nerve gateway",
  clientName: "nerve",
  // A server behind a converter, or that was moved, announces another host than the one it is reached by.
  endpointMustExist: false,
  connectionStrategy: { maxRetry: 0, initialDelay: 1, maxDelay: 1 },
  requestedSessionTimeout: SESSION_TIMEOUT_MS,
  keepSessionAlive: false,
  defaultTransactionTimeout: LIBRARY_TIMEOUT_MS,
  transportTimeout: LIBRARY_TIMEOUT_MS,
  transportSettings: { maxMessageSize: 16 * 1_024 * 1_024, maxChunkCount: 1_024 },
  // Nothing of the library's own is written to the disk.
  clientCertificateManager: new DecidedTrust(),
};

async function securedOptions(
  security: Exclude<ChannelSecurity, { readonly mode: "none" }>,
  {
    endpoint,
    ...how
  }: { readonly endpoint: string; readonly basic: OPCUAClientOptions; readonly keep: ClientKeeper },
): Promise<OPCUAClientOptions> {
  const offered = await discover(endpoint, how);
  const certificate = certificateFor(security, endpoint, offered);
  await requireTrusted(certificate, security, endpoint);
  return {
    serverCertificate: certificate,
    securityMode: MODES[security.mode],
    securityPolicy: SecurityPolicy[security.policy],
  };
}

/** Endpoints may be asked without security (OPC 10000-4 §5.5.4); what they say is believed only once the channel proves it. */
async function discover(
  endpoint: string,
  { basic, keep }: { readonly basic: OPCUAClientOptions; readonly keep: ClientKeeper },
): Promise<readonly EndpointDescription[]> {
  const client = OPCUAClient.create(basic);
  keep(client);
  return await attempt(`ask ${endpoint} for its endpoints`, async () => {
    await client.connect(endpoint);
    const offered = await client.getEndpoints();
    await client.disconnect();
    return offered;
  });
}

function certificateFor(
  { mode, policy }: { readonly mode: keyof typeof MODES; readonly policy: keyof typeof SecurityPolicy },
  endpoint: string,
  offered: readonly EndpointDescription[],
): Buffer {
  const wanted = offered.find(
    (each) => each.securityMode === MODES[mode] && each.securityPolicyUri === SecurityPolicy[policy],
  );
  const certificate = wanted?.serverCertificate;
  if (certificate?.length && certificate.length <= CERTIFICATE_BYTES_MAX) return Buffer.from(certificate);
  const list = offered.map(
    (each) => `${MessageSecurityMode[each.securityMode]} ${policyName(each.securityPolicyUri)}`,
  );
  const cause = new Error(
    `the server offers ${[...new Set(list)].join(", ") || "no endpoint"}: choose one of them in the bus, or switch ${mode} ${policy} on in the server`,
  );
  throw new DeviceFault("connection-lost", `connect to ${endpoint}`, { cause });
}

function policyName(uri: string | null): string {
  return (uri ?? "").split("#").at(-1) ?? "";
}

function asWhom({ user }: OpcUaBusConfig): string {
  if (user === undefined) return "";
  return user.kind === "password" ? ` as ${user.name}` : " with a user certificate";
}

/** What each refusal asks of the installer; the library's own text may quote what it was given. */
const REMEDIES: Readonly<Record<string, string>> = {
  BadIdentityTokenRejected:
    "the server does not take this user: mend user of the bus, or add the user in the server",
  BadUserAccessDenied: "the server does not take this user or password: mend user of the bus",
  BadIdentityTokenInvalid:
    "the server does not take this kind of user: set user of the bus, or allow anonymous in the server",
  BadSecurityChecksFailed:
    "the server does not trust this gateway: put application-certificate.der from the opcua folder of the data folder into the server's trust list",
  BadCertificateUntrusted:
    "the server does not trust this gateway: put application-certificate.der from the opcua folder of the data folder into the server's trust list",
  BadTooManySessions: "the server has no session left: close another client's, or allow more",
};

async function attempt<Result>(label: string, action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof DeviceFault) throw error;
    const status = serviceResultOf(error) ?? statusIn(error);
    const remedy = status === undefined ? undefined : REMEDIES[status];
    const cause = remedy === undefined ? error : new Error(`${status}: ${remedy}`);
    throw new DeviceFault("connection-lost", label, { cause });
  }
}

/** Where the library itself sees that it can not go on, it says so in words. */
function statusIn(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (/Cannot find .* user token policy/i.test(error.message)) return "BadIdentityTokenInvalid";
  return /\bBad[A-Z][A-Za-z]+/.exec(error.message)?.[0];
}

/** The library writes to the console, past every logger; what it says comes as an error too, or is of no use on site. */
function silenceLibrary(): void {
  setWarningLogger(() => {});
  setErrorLogger(() => {});
}
