/** Why the center's database can not be used; each row ends in what to do. */
export const CENTER_STORE_FAULTS = {
  unreachable: "check that PostgreSQL runs and that DATABASE_URL names it, its user and its password",
  "newer-schema": "the database was migrated by a newer center: start that version",
  "changed-migration":
    "a migration that ran on this database was changed since: start the release that made it",
  "generation-unreadable":
    "put back the `generation` file of the data folder, or write a number into it that is higher than ever used",
} as const;
export type CenterStoreFaultCode = keyof typeof CENTER_STORE_FAULTS;

export class CenterStoreError extends Error {
  override readonly name = "CenterStoreError";
  readonly code: CenterStoreFaultCode;
  constructor(code: CenterStoreFaultCode, message: string, options?: { readonly cause: unknown }) {
    super(`${message}: ${CENTER_STORE_FAULTS[code]} (${code})`, options);
    this.code = code;
  }
}
