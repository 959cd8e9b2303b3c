import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { fullJitter } from "../../domain/backoff.ts";
import type { RandomSource } from "../../domain/random.ts";
import { type Clock, type Millis, Seconds, type Uptime } from "../../domain/time.ts";
import { type Claim, parseClaim } from "../../domain/wire/enrolment.ts";
import { WireError } from "../../domain/wire/wire-error.ts";
import { TransportError } from "./center-transport.ts";
import { enrol } from "./enrol.ts";
import { findIdentity, type GatewayIdentity } from "./identity.ts";

/** How often an installer's claim is looked for. */
const LOOK = Seconds(1);
const NO_CLAIM =
  "waiting for a claim: nerve gateway enrol --site FILE --claim CLAIM, or put the claim into the file `claim` of the data folder";

/** A whole claim, but not one for this gateway. */
class ForeignClaim extends Error {
  override readonly name = "ForeignClaim";
}

/** How far a gateway without identity is, for `nerve status`. */
export interface EnrolmentStatus {
  readonly phase: "not-enrolled" | "enrolling";
  readonly since: Uptime;
  readonly detail: string;
}

export interface EnrolmentParts {
  readonly gatewayId: string;
  readonly dataFolder: string;
  /** Between tries while the center can not be reached: full jitter in 0 … min, doubling to max. */
  readonly reconnect: { readonly min: Millis; readonly max: Millis };
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly logger: Logger;
}

/**
 * Waits until this gateway is enrolled: by the file `claim` in its data folder, as soon as the center can be reached, or by
 * `nerve gateway enrol` beside it. A box that is provisioned without network works meanwhile, and needs no second visit.
 */
export class Enrolment {
  readonly #parts: EnrolmentParts;
  #status: EnrolmentStatus;
  /** A claim that no further try can make good, until another one is put there. */
  #refused: string | undefined;
  #failures = 0;

  constructor(parts: EnrolmentParts) {
    this.#parts = parts;
    this.#status = { phase: "not-enrolled", since: parts.clock.uptime(), detail: NO_CLAIM };
  }

  status(): EnrolmentStatus {
    return this.#status;
  }

  /** `undefined`: the signal came first. Never rejects: the field goes on whatever this meets. */
  async identity(signal: AbortSignal): Promise<GatewayIdentity | undefined> {
    const { clock } = this.#parts;
    while (!signal.aborted) {
      const found = await this.#look();
      if (typeof found === "object") return found;
      await clock.sleep(found, signal).catch(() => undefined);
    }
    return undefined;
  }

  /** The identity, or how long to wait before the next look. */
  async #look(): Promise<GatewayIdentity | Millis> {
    const { dataFolder, gatewayId } = this.#parts;
    const file = join(dataFolder, "claim");
    const text = await readFile(file, "utf8").catch(() => undefined);
    try {
      if (text !== undefined && text !== this.#refused) await enrol(this.#claimOf(text), dataFolder);
      else if (text === undefined) this.#note("not-enrolled", NO_CLAIM);
      const known = await findIdentity(dataFolder);
      if (known?.gatewayId !== gatewayId) return LOOK;
      await rm(file, { force: true });
      this.#parts.logger.info("enrolled with the center");
      return known;
    } catch (error) {
      return this.#failed(error, { file, text });
    }
  }

  #failed(error: unknown, claim: { readonly file: string; readonly text: string | undefined }): Millis {
    const message = error instanceof Error ? error.message : String(error);
    if (isFinal(error)) {
      this.#refused = claim.text;
      this.#note("not-enrolled", `the claim in ${claim.file} is of no use: ${message}`);
      return LOOK;
    }
    this.#failures += 1;
    this.#note("enrolling", message);
    return fullJitter(this.#failures, this.#parts.reconnect, this.#parts.random);
  }

  /** @throws {WireError | ForeignClaim} */
  #claimOf(text: string): Claim {
    const claim = parseClaim(text);
    const { gatewayId } = this.#parts;
    if (claim.gatewayId === gatewayId) return claim;
    throw new ForeignClaim(
      `the claim is for ${claim.gatewayId}, the site file says ${gatewayId}: have the center show the claim of ${gatewayId}`,
    );
  }

  #note(phase: EnrolmentStatus["phase"], detail: string): void {
    if (this.#status.phase === phase && this.#status.detail === detail) return;
    this.#status = { phase, since: this.#parts.clock.uptime(), detail };
    this.#parts.logger.warn({ phase, detail }, "not enrolled yet");
  }
}

/** Whether the same claim can not be made good by waiting: everything but a center that is not there, or a fault of the box. */
function isFinal(error: unknown): boolean {
  if (error instanceof TransportError) return error.code !== "unreachable" && error.code !== "overloaded";
  return error instanceof WireError || error instanceof ForeignClaim;
}
