import type { z } from "zod";
import { WireError } from "./wire-error.ts";

/** Deepest nesting that any message has (PROTOCOL §2): checked before a schema walks it. */
const DEPTH_MAX = 32;

/** `data` as the schema's type. @throws {WireError} `bad-schema` with the JSON pointer of the first thing wrong. */
export function parseMessage<Schema extends z.ZodType>(
  what: string,
  schema: Schema,
  data: unknown,
): z.infer<Schema> {
  if (depthOf(data, 0) > DEPTH_MAX)
    throw new WireError("bad-length", `${what} nested deeper than ${DEPTH_MAX}`);
  const result = schema.safeParse(data);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new WireError(
    "bad-schema",
    `${what} at /${issue?.path.join("/") ?? ""}: ${issue?.message ?? "unreadable"}`,
  );
}

function depthOf(value: unknown, level: number): number {
  if (level > DEPTH_MAX || typeof value !== "object" || value === null) return level;
  let deepest = level;
  for (const each of Object.values(value)) deepest = Math.max(deepest, depthOf(each, level + 1));
  return deepest;
}
