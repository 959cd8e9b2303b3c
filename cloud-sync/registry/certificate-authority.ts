import "reflect-metadata";
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  webcrypto,
} from "node:crypto";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";
import { type Clock, Days, Instant } from "../../domain/time.ts";
import { readOrMake, readSecret, writeSecret } from "./secret-files.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const AUTHORITY_LIFE = Days(20 * 365);
const SERVER_LIFE = Days(365);
const GATEWAY_LIFE = Days(365);
const RENEW_BEFORE = Days(30);
/** Certificates are good from a day before: the other side's clock may be late. */
const BACKDATE = Days(1);
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

/** What the gateways' listener shows. PEM; the chain ends in the authority, whose fingerprint a claim pins. */
export interface ServerIdentity {
  readonly key: string;
  readonly certificate: string;
  readonly expiresAt: Instant;
}

export interface IssuedCertificate {
  readonly certificate: string;
  /** Lower-case hexadecimal, without leading zeros, as Node's TLS tells it. */
  readonly serial: string;
  /** SHA-256 of the DER, hexadecimal. */
  readonly fingerprint: string;
  /** SHA-256 of the key's SPKI, hexadecimal. */
  readonly keyFingerprint: string;
  readonly expiresAt: Instant;
}

/** The center's own certificate authority: a key of the center's machine that nobody else trusts or holds. */
export class CertificateAuthority {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #certificate: x509.X509Certificate;
  readonly #key: webcrypto.CryptoKey;

  private constructor(
    folder: string,
    clock: Clock,
    held: { readonly certificate: x509.X509Certificate; readonly key: webcrypto.CryptoKey },
  ) {
    this.#folder = folder;
    this.#clock = clock;
    this.#certificate = held.certificate;
    this.#key = held.key;
  }

  /** Reads the authority from `folder`, or makes it there at the first start (files of mode 0600). */
  static async open(folder: string, clock: Clock): Promise<CertificateAuthority> {
    const keyText = await readOrMake(join(folder, "authority-key.pem"), makeKeyText);
    const key = await importKey(keyText);
    const certificateText = await readOrMake(join(folder, "authority.pem"), () =>
      makeAuthority(keyText, clock),
    );
    return new CertificateAuthority(folder, clock, {
      key,
      certificate: new x509.X509Certificate(certificateText),
    });
  }

  /** PEM. */
  get certificate(): string {
    return `${this.#certificate.toString("pem")}\n`;
  }

  /** SHA-256 of the DER, hexadecimal: what a claim names. */
  get fingerprint(): string {
    return sha256(this.#certificate.rawData);
  }

  /** The listener's certificate for these names and addresses; a new one when names changed or 30 days are left. */
  async serverIdentity(names: readonly string[]): Promise<ServerIdentity> {
    const keyText = await readOrMake(join(this.#folder, "server-key.pem"), makeKeyText);
    const path = join(this.#folder, "server.pem");
    const wanted = subjectAlternativeNames(names);
    const held = readSecret(path);
    const usable = held === undefined ? undefined : this.#usableServer(held, { keyText, wanted });
    const certificate = (await usable) ?? (await this.#issueServer(keyText, wanted));
    const text = `${certificate.toString("pem")}\n`;
    if (text !== held) writeSecret(path, text);
    return { key: keyText, certificate: text + this.certificate, expiresAt: instantOf(certificate.notAfter) };
  }

  /** A gateway's certificate for the key of its request. @throws {RangeError} if the request is not one of this gateway. */
  async issueGateway(gatewayId: string, certificateRequest: string): Promise<IssuedCertificate> {
    const request = await parseRequest(gatewayId, certificateRequest);
    const certificate = await x509.X509CertificateGenerator.create({
      ...this.#validity(GATEWAY_LIFE),
      serialNumber: randomSerial(),
      subject: `CN=${gatewayId}`,
      issuer: this.#certificate.subject,
      publicKey: request.publicKey,
      signingKey: this.#key,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([CLIENT_AUTH]),
        await x509.AuthorityKeyIdentifierExtension.create(this.#certificate),
      ],
    });
    return {
      certificate: `${certificate.toString("pem")}\n`,
      serial: plainSerial(certificate.serialNumber),
      fingerprint: sha256(certificate.rawData),
      keyFingerprint: sha256(request.publicKey.rawData),
      expiresAt: instantOf(certificate.notAfter),
    };
  }

  async #usableServer(
    text: string,
    asked: { readonly keyText: string; readonly wanted: x509.JsonGeneralNames },
  ): Promise<x509.X509Certificate | undefined> {
    const certificate = new x509.X509Certificate(text);
    const left = instantOf(certificate.notAfter) - this.#clock.now();
    const names = certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.toJSON();
    if (left < RENEW_BEFORE || JSON.stringify(names) !== JSON.stringify(asked.wanted)) return undefined;
    const ofKey = sha256(publicKeyOf(asked.keyText).rawData) === sha256(certificate.publicKey.rawData);
    const ofUs = await certificate.verify({ publicKey: this.#certificate.publicKey, signatureOnly: true });
    return ofKey && ofUs ? certificate : undefined;
  }

  async #issueServer(keyText: string, names: x509.JsonGeneralNames): Promise<x509.X509Certificate> {
    return x509.X509CertificateGenerator.create({
      ...this.#validity(SERVER_LIFE),
      serialNumber: randomSerial(),
      subject: "CN=Nerve center",
      issuer: this.#certificate.subject,
      publicKey: publicKeyOf(keyText),
      signingKey: this.#key,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([SERVER_AUTH]),
        new x509.SubjectAlternativeNameExtension(names),
        await x509.AuthorityKeyIdentifierExtension.create(this.#certificate),
      ],
    });
  }

  #validity(life: number): { readonly notBefore: Date; readonly notAfter: Date } {
    const now = this.#clock.now();
    return { notBefore: new Date(now - BACKDATE), notAfter: new Date(now + life) };
  }
}

async function makeAuthority(keyText: string, clock: Clock): Promise<string> {
  const publicKey = publicKeyOf(keyText);
  const name = `CN=Nerve authority ${sha256(publicKey.rawData).slice(0, 8)}`;
  const certificate = await x509.X509CertificateGenerator.create({
    subject: name,
    issuer: name,
    serialNumber: randomSerial(),
    notBefore: new Date(clock.now() - BACKDATE),
    notAfter: new Date(clock.now() + AUTHORITY_LIFE),
    publicKey,
    signingKey: await importKey(keyText),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  return `${certificate.toString("pem")}\n`;
}

async function parseRequest(gatewayId: string, text: string): Promise<x509.Pkcs10CertificateRequest> {
  let request: x509.Pkcs10CertificateRequest;
  let signed: boolean;
  try {
    request = new x509.Pkcs10CertificateRequest(text);
    signed = await request.verify();
  } catch (cause) {
    throw new RangeError("the certificate request can not be read", { cause });
  }
  if (!signed) throw new RangeError("the certificate request is not signed by its own key");
  const [name] = request.subjectName.getField("CN");
  if (name !== gatewayId) throw new RangeError(`the certificate request names another than ${gatewayId}`);
  return request;
}

const IP_ADDRESS = /^(\d{1,3}(\.\d{1,3}){3}|[0-9a-f:]*:[0-9a-f:]*)$/i;

/** The machine itself is always among them. */
function subjectAlternativeNames(names: readonly string[]): x509.JsonGeneralNames {
  const all = new Set(["localhost", "127.0.0.1", "::1", ...names]);
  return [...all].map((value) => ({
    type: IP_ADDRESS.test(value) ? ("ip" as const) : ("dns" as const),
    value,
  }));
}

function makeKeyText(): Promise<string> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return Promise.resolve(privateKey.export({ type: "pkcs8", format: "pem" }).toString());
}

function importKey(text: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(text).export({ type: "pkcs8", format: "der" });
  return webcrypto.subtle.importKey("pkcs8", der, ALGORITHM, true, ["sign"]);
}

function publicKeyOf(keyText: string): x509.PublicKey {
  return new x509.PublicKey(createPublicKey(keyText).export({ type: "spki", format: "der" }));
}

/** 127 random bits: positive, and never the same twice. */
function randomSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString("hex");
}

function plainSerial(serial: string): string {
  return serial.toLowerCase().replace(/^0+/, "");
}

function sha256(bytes: ArrayBuffer): string {
  return createHash("sha256").update(Buffer.from(bytes)).digest("hex");
}

function instantOf(date: Date): Instant {
  return Instant(date.getTime());
}
