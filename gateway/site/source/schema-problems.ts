import { z } from "zod";
import { findNearest } from "./nearest-word.ts";
import { type ProblemList, show } from "./problem-list.ts";
import type { YamlPath, YamlSource } from "./yaml-source.ts";

/** Where data of a file stands, and who is told what is wrong with it. */
export interface SchemaContext {
  readonly source: YamlSource;
  readonly at: YamlPath;
  readonly problems: ProblemList;
  /** What to do about a value that is wrong, where more can be said than "write what is expected". */
  readonly remedyOf?: (key: string | number | undefined, found: unknown) => string | undefined;
}

/** Checks `data`, which stands at `at` of the file, and tells all that is wrong; `undefined` if anything is. */
export function checkSchema<Schema extends z.ZodType>(
  schema: Schema,
  data: unknown,
  context: SchemaContext,
): z.output<Schema> | undefined {
  const result = schema.safeParse(data, { reportInput: true });
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    const path = issue.path.map((key) => (typeof key === "number" ? key : String(key)));
    if (issue.code === "unrecognized_keys") {
      for (const key of issue.keys) tellUnknownKey({ ...context, schema, path, key });
      continue;
    }
    tellIssue(issue, { ...context, path, data });
  }
  return undefined;
}

interface Telling extends SchemaContext {
  readonly path: YamlPath;
}

function tellUnknownKey(telling: Telling & { readonly schema: z.ZodType; readonly key: string }): void {
  const { problems, source, at, path, key, schema } = telling;
  const known = knownKeys(schema, path);
  const nearest = findNearest(key, known);
  problems.add(source, [...at, ...path, key], {
    at: "key",
    found: `the unknown key ${key}`,
    expected: known.length === 0 ? "no such key" : `one of ${known.join(", ")}`,
    remedy: nearest === undefined ? "remove it" : `did you mean ${nearest}?`,
  });
}

function tellIssue(
  issue: z.core.$ZodIssue,
  { problems, source, at, path, data, remedyOf }: Telling & { readonly data: unknown },
): void {
  const isKey = issue.code === "invalid_key";
  const found = isKey ? path.at(-1) : valueAt(data, path);
  const last = path.at(-1);
  const expected = isKey ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  const isMissing = found === undefined && last !== undefined;
  problems.add(source, [...at, ...path], {
    at: isKey ? "key" : "value",
    found: isMissing ? `no ${last}` : show(found),
    expected,
    remedy: isMissing ? `add ${last}` : (remedyOf?.(last, found) ?? "write what is expected"),
  });
}

function valueAt(data: unknown, path: YamlPath): unknown {
  return path.reduce<unknown>((value, key) => {
    if (Array.isArray(value)) return value[Number(key)];
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    return Object.entries(value).find(([name]) => name === String(key))?.[1];
  }, data);
}

/** The keys that a schema takes at a place; none where it takes any. */
function knownKeys(schema: z.core.$ZodType, path: YamlPath): readonly string[] {
  const inner = unwrapped(schema);
  const [step, ...rest] = path;
  if (inner instanceof z.ZodObject) {
    const shape: Readonly<Record<string, z.core.$ZodType>> = inner.shape;
    const next = step === undefined ? undefined : shape[step];
    if (step === undefined) return Object.keys(shape);
    return next === undefined ? [] : knownKeys(next, rest);
  }
  if (step === undefined) return [];
  if (inner instanceof z.ZodArray) return knownKeys(inner.element, rest);
  if (inner instanceof z.ZodRecord) return knownKeys(inner.valueType, rest);
  return [];
}

function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  if (
    schema instanceof z.ZodExactOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  )
    return unwrapped(schema.unwrap());
  return schema;
}
