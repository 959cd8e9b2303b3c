/** Every way the gateways' listener refuses a request, and the status that goes with it. */
export const GATEWAY_PROBLEMS = {
  authentication: 401,
  "claim-refused": 403,
  "bad-request": 400,
  fence: 409,
  rehello: 409,
  "generation-behind": 409,
  "too-many": 429,
  unavailable: 503,
} as const;
export type GatewayProblemCode = keyof typeof GATEWAY_PROBLEMS;

/** Answered as `{ error: { code, message, pointer? } }`. */
export class GatewayProblem extends Error {
  override readonly name = "GatewayProblem";
  readonly code: GatewayProblemCode;
  constructor(code: GatewayProblemCode, message: string, options?: { readonly cause: unknown }) {
    super(message, options);
    this.code = code;
  }
}
