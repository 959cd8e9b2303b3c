/** Every way the operators' interface refuses a request, and the status that goes with it. */
export const OPERATOR_PROBLEMS = {
  "bad-request": 400,
  "not-authenticated": 401,
  "not-permitted": 403,
  "not-found": 404,
  conflict: 409,
  "too-large": 413,
  "wrong-media-type": 415,
  "too-many": 429,
  unavailable: 503,
} as const;
export type OperatorProblemCode = keyof typeof OPERATOR_PROBLEMS;

/** Answered as `{ error: { code, message, pointer? } }`. */
export class OperatorProblem extends Error {
  override readonly name = "OperatorProblem";
  readonly code: OperatorProblemCode;
  /** JSON pointer (RFC 6901) of what is wrong in the body or among the parameters. */
  readonly pointer: string | undefined;
  constructor(code: OperatorProblemCode, message: string, pointer?: string) {
    super(message);
    this.code = code;
    this.pointer = pointer;
  }
}
