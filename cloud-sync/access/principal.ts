import type { AccessRole } from "../store/tables/access-tokens.ts";

/** Whoever showed a token that works. */
export interface Principal {
  readonly name: string;
  readonly role: AccessRole;
}

/** Each role may do what stands before it, too. */
const ROLES: readonly AccessRole[] = ["viewer", "operator", "admin"];

/** As the audit and the orders name them. */
export function actorOf({ name }: Principal): string {
  return `operator/${name}`;
}

export function mayAct(principal: Principal, needed: AccessRole): boolean {
  return ROLES.indexOf(principal.role) >= ROLES.indexOf(needed);
}
