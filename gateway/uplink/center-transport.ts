import type { BatchAnswer } from "../../domain/wire/batch.ts";
import type { Catalogue } from "../../domain/wire/catalogue.ts";
import type { DownlinkMessage } from "../../domain/wire/downlink.ts";
import type { ReadReport } from "../../domain/wire/fresh-read.ts";
import type { Heartbeat } from "../../domain/wire/heartbeat.ts";
import type { Hello, Welcome } from "../../domain/wire/hello.ts";

/** The way to the center, given from outside: HTTPS in the product, anything in a simulation. */
export interface CenterTransport {
  hello(message: Hello, signal: AbortSignal): Promise<Welcome>;
  tellCatalogue(
    message: { session: string; hash: string; catalogue: Catalogue },
    signal: AbortSignal,
  ): Promise<void>;
  /** One part of the state snapshot, as `encodeSnapshotPart` made it. */
  tellSnapshot(part: Uint8Array, signal: AbortSignal): Promise<void>;
  sendBatch(batch: Uint8Array, signal: AbortSignal): Promise<BatchAnswer>;
  heartbeat(message: Heartbeat, signal: AbortSignal): Promise<void>;
  /** The answer to a read of the center. */
  tellRead(report: ReadReport, signal: AbortSignal): Promise<void>;
  /** Calls `onMessage` for each message until the stream ends, which resolves, or breaks, which rejects. */
  listen(session: string, onMessage: (message: DownlinkMessage) => void, signal: AbortSignal): Promise<void>;
}

/** Why the center was not reached or would not take it; `rehello` and `fence` end the session at once. */
export const TRANSPORT_FAULTS = {
  unreachable: "check the cable or modem and the center's address in the site file",
  "not-trusted":
    "the center's certificate is not from the authority of this gateway's enrolment: enrol again if the center was replaced",
  refused: "the center refused this gateway's certificate: it may be revoked, or the center new; enrol again",
  fence: "another sync session of this gateway is current: if it stays so, two boxes use one identity",
  rehello: "the center does not know this incarnation yet",
  malformed: "the answer was not understood: is the address that of a center, and of a version that fits?",
  overloaded: "the center asked to wait",
  "store-failing": "this gateway's own store failed: see `nerve status`, check space and the disk",
} as const;
export type TransportFaultCode = keyof typeof TRANSPORT_FAULTS;

/** The only error that leaves a {@link CenterTransport}, besides the abort reason. */
export class TransportError extends Error {
  override readonly name = "TransportError";
  readonly code: TransportFaultCode;
  constructor(code: TransportFaultCode, message: string, options?: { readonly cause: unknown }) {
    super(`${message}: ${TRANSPORT_FAULTS[code]} (${code})`, options);
    this.code = code;
  }
}
