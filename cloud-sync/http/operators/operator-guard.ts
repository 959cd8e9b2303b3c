import type { FastifyRequest } from "fastify";
import type { Clock } from "../../../domain/time.ts";
import type { AccessTokens } from "../../access/access-tokens.ts";
import { mayAct, type Principal } from "../../access/principal.ts";
import type { AccessRole } from "../../store/tables/access-tokens.ts";
import { FailedLogins } from "./failed-logins.ts";
import { OperatorProblem } from "./operator-problem.ts";

const BEARER = /^Bearer ([^\s]{1,200})$/i;

/** Who asks, and whether he may. Tokens come in the `Authorization` header only: a URL ends in logs. */
export class OperatorGuard {
  readonly #tokens: AccessTokens;
  readonly #failures: FailedLogins;
  readonly #principals = new WeakMap<FastifyRequest, Principal>();

  constructor(tokens: AccessTokens, clock: Clock) {
    this.#tokens = tokens;
    this.#failures = new FailedLogins(clock);
  }

  /** @throws {OperatorProblem} `not-authenticated`, `too-many`, `not-permitted` */
  async admit(request: FastifyRequest, needed: AccessRole): Promise<void> {
    const principal = await this.identify(request);
    if (principal === undefined) {
      if (this.#failures.count(request.ip) === "too-many")
        throw new OperatorProblem("too-many", "too many wrong tokens from this address: wait a minute");
      throw new OperatorProblem(
        "not-authenticated",
        "send `Authorization: Bearer TOKEN` with a token that works: the first one is in the file `operator-token` of the center's data folder",
      );
    }
    if (!mayAct(principal, needed)) {
      const message = `this needs the role ${needed}, and ${principal.name} is ${principal.role}: ask an admin`;
      throw new OperatorProblem("not-permitted", message);
    }
    this.#principals.set(request, principal);
  }

  /** Whose token it is, now; undefined: it does not work, or does not any more. */
  async identify(request: FastifyRequest): Promise<Principal | undefined> {
    const token = BEARER.exec(request.headers.authorization ?? "")?.[1];
    return token === undefined ? undefined : this.#tokens.authenticate(token);
  }

  /** Of a request that was admitted. */
  principalOf(request: FastifyRequest): Principal {
    const principal = this.#principals.get(request);
    if (principal === undefined) throw new OperatorProblem("not-authenticated", "send a token");
    return principal;
  }
}
