import type { z } from "zod";
import { AddressError } from "./driver.ts";

/**
 * Parses a piece of the site file or of a profile for a driver. The schema's own messages say what was expected.
 * @throws {AddressError} for the first thing wrong; an unknown key comes first, as it mostly explains the others.
 */
export function parseSetting<Schema extends z.ZodType>(schema: Schema, data: unknown): z.output<Schema> {
  const result = schema.safeParse(data);
  if (result.success) return result.data;
  const issues = result.error.issues;
  const issue = issues.find(({ code }) => code === "unrecognized_keys") ?? issues[0];
  if (issue === undefined) throw new AddressError("", "a valid setting", "the setting is not valid: mend it");
  if (issue.code === "unrecognized_keys") throw unknownKey(issue.path, issue.keys[0] ?? "");
  const pointer = pointerOf(issue.path);
  throw new AddressError(pointer, issue.message, `${pointer || "/"}: write ${issue.message}`);
}

function unknownKey(path: readonly PropertyKey[], key: string): AddressError {
  const pointer = pointerOf([...path, key]);
  return new AddressError(
    pointer,
    "no such key",
    `${pointer}: there is no such key: remove it or mend its spelling`,
  );
}

/** RFC 6901 §3: `~` and `/` inside a key are escaped. */
function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
