import type { z } from "zod";
import { OperatorProblem } from "./operator-problem.ts";

/** `data` as the schema's type. @throws {OperatorProblem} `bad-request` with the pointer of the first thing wrong. */
export function parseInput<Schema extends z.ZodType>(schema: Schema, data: unknown): z.infer<Schema> {
  const result = schema.safeParse(data);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const unknownKey = issue?.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
  const path = [...(issue?.path ?? []), ...unknownKey];
  throw new OperatorProblem("bad-request", issue?.message ?? "can not be read", pointerOf(path));
}

function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
