import type { KeyObject } from "node:crypto";
import type { LoopService } from "../domain/service.ts";
import type { Enrolment, EnrolmentStatus } from "./uplink/enrolment.ts";
import type { GatewayIdentity } from "./uplink/identity.ts";
import type { LinkStatus, Uplink } from "./uplink/uplink.ts";

/** An uplink that is open as this identity, and its way to the center. */
export interface OpenUplink {
  readonly service: Uplink;
  readonly transport: Disposable;
}

/** The link to the center from the gateway's first moment on: enrols when that is possible, then syncs. */
export class CenterLink implements LoopService {
  readonly name = "link to the center";
  readonly #enrolment: Enrolment;
  readonly #open: (identity: GatewayIdentity) => OpenUplink;
  #identity: GatewayIdentity | null;
  #uplink: Uplink | undefined;

  /** `identity` of the start: `null` if the gateway is not enrolled yet. */
  constructor(
    identity: GatewayIdentity | null,
    enrolment: Enrolment,
    open: (identity: GatewayIdentity) => OpenUplink,
  ) {
    this.#identity = identity;
    this.#enrolment = enrolment;
    this.#open = open;
  }

  /** What orders are checked with; `null`: not enrolled, so none can be. */
  get commandKey(): KeyObject | null {
    return this.#identity?.commandKey ?? null;
  }

  status(): LinkStatus | (EnrolmentStatus & { readonly session: null }) {
    return this.#uplink?.status() ?? { ...this.#enrolment.status(), session: null };
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#identity ??= (await this.#enrolment.identity(signal)) ?? null;
    if (this.#identity === null) return;
    const { service, transport } = this.#open(this.#identity);
    using _ = transport;
    this.#uplink = service;
    await service.run(signal);
  }
}
