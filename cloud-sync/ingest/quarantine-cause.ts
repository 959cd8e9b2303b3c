import { WIRE_FAULTS } from "../../domain/wire/wire-error.ts";

/** Why a record could not be taken: told to the gateway and shown to operators. */
export const QUARANTINE_CAUSES = {
  ...WIRE_FAULTS,
  "unknown-point": "the point number is not in the gateway's catalogue",
  "wrong-type": "the value is of another type than the point's",
  "not-storable": "a value, text or time that the database can not hold",
  "content-differs": "this record id was stored before with another content",
} as const;
export type QuarantineCause = keyof typeof QUARANTINE_CAUSES;
