/**
 * Schema of all that crosses between gateway and center, `major.minor`. The center accepts the current and two
 * previous majors (PROTOCOL §7); a minor only adds optional fields and kinds.
 */
export const WIRE_SCHEMA = { major: 1, minor: 0 } as const;

/** `1.0`, as HELLO tells it. */
export const WIRE_SCHEMA_TEXT = `${WIRE_SCHEMA.major}.${WIRE_SCHEMA.minor}`;
