import { z } from "zod";
import { CommandId } from "../../domain/ids.ts";
import { LocalApiFault } from "./local-api-fault.ts";

/** OS user names as `useradd` allows them. */
const name = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}$/, "not a user name of this machine");
const slug = z.string().min(1).max(64);
const value = z.union([z.number(), z.boolean(), z.string().max(4_096)], {
  error: "not a number, true, false or text",
});
const commandId = z.string().refine(isCommandId, "not a UUIDv7 in lower case");

const readBody = z.strictObject({ name, device: slug, point: slug.optional() });
const commandBody = z.strictObject({
  name,
  /** Absent: the gateway makes one. Repeating it gives the same verdict again, never a second effect. */
  commandId: commandId.optional(),
  device: slug,
  point: slug,
  value,
  /** Of an action, in the order of its definition. */
  args: z.array(value).max(16).default([]),
  /** From its receipt on; later nothing moves. */
  deadlineMs: z.number().int().min(1).max(60_000).default(5_000),
});
const pointParams = z.strictObject({ device: slug, point: slug });
const deviceParams = z.strictObject({ device: slug });
const commandParams = z.strictObject({ id: commandId });
const commandsQuery = z.strictObject({ limit: z.coerce.number().int().min(1).max(1_000).default(20) });
/** ISO 8601 with a time zone, or milliseconds since 1970. */
const instant = z.union([
  z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
  z
    .string()
    .regex(/^\d{1,15}$/, "not ISO 8601 with a time zone, nor milliseconds since 1970")
    .transform(Number),
]);
const historyQuery = z.strictObject({
  from: instant.optional(),
  to: instant.optional(),
  limit: z.coerce.number().int().min(1).max(10_000).default(1_000),
});

export type ReadBody = z.infer<typeof readBody>;
export type CommandBody = z.infer<typeof commandBody>;

export const parseReadBody = (data: unknown): ReadBody => parse(readBody, data);
export const parseCommandBody = (data: unknown): CommandBody => parse(commandBody, data);
export const parsePointParams = (data: unknown): z.infer<typeof pointParams> => parse(pointParams, data);
export const parseDeviceParams = (data: unknown): z.infer<typeof deviceParams> => parse(deviceParams, data);
export const parseCommandParams = (data: unknown): CommandId => CommandId(parse(commandParams, data).id);
export const parseCommandsQuery = (data: unknown): z.infer<typeof commandsQuery> =>
  parse(commandsQuery, data);
export const parseHistoryQuery = (data: unknown): z.infer<typeof historyQuery> => parse(historyQuery, data);

/** @throws {LocalApiFault} `bad-request` with the JSON pointer of the first thing that is wrong. */
function parse<Schema extends z.ZodType>(schema: Schema, data: unknown): z.infer<Schema> {
  const result = schema.safeParse(data);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const unknownKey = issue?.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
  const pointer = [...(issue?.path ?? []), ...unknownKey]
    .map((part) => `/${escapePointer(String(part))}`)
    .join("");
  throw new LocalApiFault(
    "bad-request",
    `${pointer === "" ? "body" : pointer}: ${issue?.message ?? "unreadable"}`,
    {
      pointer,
    },
  );
}

/** RFC 6901 §3. */
function escapePointer(part: string): string {
  return part.replaceAll("~", "~0").replaceAll("/", "~1");
}

function isCommandId(text: string): boolean {
  try {
    CommandId(text);
    return true;
  } catch {
    return false;
  }
}
