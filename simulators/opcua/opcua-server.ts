import { X509Certificate } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AddressSpace,
  MessageSecurityMode,
  nodesets,
  OPCUACertificateManager,
  OPCUAServer,
  SecurityPolicy,
} from "node-opcua";
import type { Endpoint } from "../endpoint.ts";

export interface OpcUaServerOptions {
  readonly listen: Endpoint;
  /** Keeps keys and trust lists; absent: a folder of its own that goes with the server. */
  readonly pkiFolder?: string | undefined;
  /** Which application certificates it takes; `trusted`: those in `<pkiFolder>/trusted/certs`. */
  readonly clients: "any" | "trusted";
  /** Absent: nobody needs a name. Given: nobody without one, and both a password and any user certificate do. */
  readonly user?: { readonly name: string; readonly password: string } | undefined;
  /** `none` too, or secured endpoints only. */
  readonly security: "any" | "secured";
  /** Called at every start, on an empty address space. */
  readonly populate: (space: AddressSpace, order: NamespaceOrder) => void;
}

/** In which order a start registers its namespaces: their indexes follow. */
export type NamespaceOrder = "usual" | "reversed";

const POLICIES = [
  SecurityPolicy.Basic256Sha256,
  SecurityPolicy.Aes128_Sha256_RsaOaep,
  SecurityPolicy.Aes256_Sha256_RsaPss,
];

/** Opens a server. @throws the system's error when the address can not be had. */
export async function openOpcUaServer(options: OpcUaServerOptions): Promise<OpcUaServer> {
  const own = options.pkiFolder === undefined ? await mkdtemp(join(tmpdir(), "simulated-opcua-")) : undefined;
  const server = new OpcUaServer(options, own ?? options.pkiFolder ?? "", own);
  await server.start("usual");
  return server;
}

/** A real OPC UA server on one port, that can be taken away and come back as it was, or with other namespace indexes. */
export class OpcUaServer implements AsyncDisposable {
  readonly #options: OpcUaServerOptions;
  readonly #folder: string;
  readonly #ownFolder: string | undefined;
  #server: OPCUAServer | undefined;
  #port: number;

  constructor(options: OpcUaServerOptions, folder: string, ownFolder: string | undefined) {
    this.#options = options;
    this.#folder = folder;
    this.#ownFolder = ownFolder;
    this.#port = options.listen.port;
  }

  get address(): Endpoint {
    return { host: this.#options.listen.host, port: this.#port };
  }

  get url(): string {
    return `opc.tcp://${this.#options.listen.host}:${this.#port}`;
  }

  /** SHA-256 of its certificate, as its display would show it: upper-case pairs with colons. */
  get fingerprint(): string {
    const certificate = this.#server?.getCertificate();
    if (certificate === undefined) throw new Error("a server that is away shows nothing");
    return new X509Certificate(certificate).fingerprint256;
  }

  /** Sessions that are open now. */
  get sessions(): number {
    return this.#server?.currentSessionCount ?? 0;
  }

  /** As its owner does who has looked at the fingerprint. */
  async trust(certificate: Buffer): Promise<void> {
    await this.#server?.serverCertificateManager.trustCertificate(certificate);
  }

  /** Binds the port of the first time again. */
  async start(order: NamespaceOrder): Promise<void> {
    const server = await this.#build();
    await server.initialize();
    const space = server.engine.addressSpace;
    if (space === null) throw new Error("a server without address space");
    this.#options.populate(space, order);
    await server.start();
    this.#server = server;
    // The library tells the port that it bound only in the address of its endpoints.
    this.#port = Number(new URL(server.getEndpointUrl()).port);
  }

  /** Cuts every connection without a word, as a controller that loses its power. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.shutdown(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    if (this.#ownFolder !== undefined) await rm(this.#ownFolder, { recursive: true, force: true });
  }

  async #build(): Promise<OPCUAServer> {
    const { listen, clients, user, security } = this.#options;
    const manager = (rootFolder: string, accept: boolean) =>
      new OPCUACertificateManager({ rootFolder, automaticallyAcceptUnknownCertificate: accept });
    const serverCertificateManager = manager(this.#folder, clients === "any");
    const userCertificateManager = manager(join(this.#folder, "users"), true);
    await serverCertificateManager.initialize();
    await userCertificateManager.initialize();
    const withNone = security === "any";
    return new OPCUAServer({
      host: listen.host,
      hostname: listen.host,
      port: this.#port,
      serverCertificateManager,
      userCertificateManager,
      nodeset_filename: [nodesets.standard],
      serverInfo: {
        applicationUri: "urn:simulated:traffic-controller",
        productUri: "urn:simulated:traffic-controller",
      },
      buildInfo: { productName: "Simulated traffic controller", manufacturerName: "simulators/opcua" },
      securityModes: [
        ...(withNone ? [MessageSecurityMode.None] : []),
        MessageSecurityMode.Sign,
        MessageSecurityMode.SignAndEncrypt,
      ],
      securityPolicies: [...(withNone ? [SecurityPolicy.None] : []), ...POLICIES],
      allowAnonymous: user === undefined,
      ...(user !== undefined && {
        userManager: {
          isValidUser: (name: string, password: string) => name === user.name && password === user.password,
        },
      }),
      serverCapabilities: {
        maxSessions: 20,
        operationLimits: { maxNodesPerRead: 500, maxMonitoredItemsPerCall: 500 },
      },
    });
  }
}
