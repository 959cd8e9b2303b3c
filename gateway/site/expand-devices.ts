import { isSlug } from "../../domain/ids.ts";
import type { WrittenDevice } from "./site-file-schema.ts";
import type { ProblemList } from "./source/problem-list.ts";
import { SLUG } from "./source/schema-words.ts";
import type { YamlPath, YamlSource } from "./source/yaml-source.ts";

/** One device of an entry, its repeated names filled in. */
export interface ExpandedDevice {
  readonly id: string;
  readonly name: string;
  readonly parent: string | undefined;
  readonly members: readonly string[];
  readonly parameters: Readonly<Record<string, number>>;
  /** Given by `unit`, or by a repeat over `unit`. */
  readonly unit: unknown;
  readonly entry: WrittenDevice;
  /** Where its entry stands. */
  readonly path: YamlPath;
}

/** Most devices of one entry; more are probably a mistyped range. */
const REPEAT_MAX = 10_000;
const MEMBERS_MAX = 1_000;
/** `{shortAddress}`, or `{shortAddress:3}` for three digits with zeros before. */
const NAME = /\{([A-Za-z][A-Za-z0-9]*)(?::([1-9]))?\}/g;
/** `lamp-{0..46}` or `lamp-{0..46:2}`. */
const MEMBERS = /^([^{}]*)\{(\d{1,5})\.\.(\d{1,5})(?::([1-9]))?\}([^{}]*)$/;

/** The devices of an entry: one, or with `repeat` one for each combination of its numbers. */
export function expandDevice(
  entry: WrittenDevice,
  path: YamlPath,
  { source, problems }: { readonly source: YamlSource; readonly problems: ProblemList },
): readonly ExpandedDevice[] {
  const before = problems.size;
  const combinations = combine(entry, path, { source, problems });
  checkNames(entry, path, { source, problems });
  if (problems.size > before) return [];
  const members = entry.members.flatMap(expandMember);
  if (members.length > MEMBERS_MAX) {
    const expected = `at most ${MEMBERS_MAX} members`;
    problems.add(source, [...path, "members"], {
      found: String(members.length),
      expected,
      remedy: "shorten the ranges",
    });
    return [];
  }
  return combinations.flatMap((values) => {
    const id = fill(entry.id, values);
    if (!isSlug(id)) {
      problems.add(source, [...path, "id"], {
        found: JSON.stringify(id),
        expected: SLUG,
        remedy: "write a lower-case id",
      });
      return [];
    }
    const { unit, ...parameters } = values;
    return {
      id,
      name: fill(entry.name ?? id, values),
      parent: entry.parent === undefined ? undefined : fill(entry.parent, values),
      members: members.map((member) => fill(member, values)),
      parameters: { ...entry.parameters, ...parameters },
      unit: unit ?? entry.unit,
      entry,
      path,
    };
  });
}

interface Telling {
  readonly source: YamlSource;
  readonly problems: ProblemList;
}

type Values = Readonly<Record<string, number>>;

function combine(entry: WrittenDevice, path: YamlPath, { source, problems }: Telling): readonly Values[] {
  let combinations: readonly Values[] = [{}];
  for (const [name, written] of Object.entries(entry.repeat ?? {})) {
    const numbers = numbersOf(String(written));
    const at = [...path, "repeat", name];
    if (numbers === null) {
      const expected = `numbers from 0 to 65535, ascending, at most ${REPEAT_MAX}`;
      problems.add(source, at, { found: String(written), expected, remedy: "write e.g. 0..63 or 0..11,13" });
      return [];
    }
    if (combinations.length * numbers.length > REPEAT_MAX) {
      const found = `${combinations.length * numbers.length} devices`;
      problems.add(source, at, {
        found,
        expected: `at most ${REPEAT_MAX} an entry`,
        remedy: "split the entry",
      });
      return [];
    }
    if (name === "unit" ? entry.unit !== undefined : Object.hasOwn(entry.parameters, name)) {
      const remedy = `remove ${name} here or there`;
      problems.add(source, at, {
        at: "key",
        found: `${name} twice`,
        expected: "repeat alone to set it",
        remedy,
      });
    }
    combinations = combinations.flatMap((values) => numbers.map((number) => ({ ...values, [name]: number })));
  }
  return combinations;
}

/** `null` unless ascending and bounded. */
function numbersOf(written: string): readonly number[] | null {
  const numbers: number[] = [];
  for (const part of written.split(",")) {
    const [first = "", last = first] = part.trim().split("..");
    const [from, to] = [Number(first), Number(last)];
    if (
      from > to ||
      to > 65_535 ||
      from <= (numbers.at(-1) ?? -1) ||
      numbers.length + to - from >= REPEAT_MAX
    )
      return null;
    for (let number = from; number <= to; number += 1) numbers.push(number);
  }
  return numbers;
}

/** Each repeated name is in the id, or the ids would be equal; and no text names what is not repeated. */
function checkNames(entry: WrittenDevice, path: YamlPath, { source, problems }: Telling): void {
  const repeated = Object.keys(entry.repeat ?? {});
  const inId = namesIn(entry.id);
  for (const name of repeated.filter((name) => !inId.includes(name))) {
    const remedy = `write {${name}} into the id`;
    problems.add(source, [...path, "id"], {
      found: entry.id,
      expected: `{${name}} in it, as it is repeated`,
      remedy,
    });
  }
  for (const key of ["id", "name", "parent"] as const) {
    for (const name of namesIn(entry[key] ?? "").filter((name) => !repeated.includes(name))) {
      const remedy = `add ${name} to repeat, or write the text without braces`;
      problems.add(source, [...path, key], {
        found: `{${name}}`,
        expected: "a name that repeat has",
        remedy,
      });
    }
  }
}

function namesIn(text: string): readonly string[] {
  return [...text.matchAll(NAME)].flatMap(([, name]) => name ?? []);
}

function fill(text: string, values: Values): string {
  return text.replace(NAME, (whole, name: string, digits: string | undefined) => {
    const value = values[name];
    return value === undefined ? whole : String(value).padStart(Number(digits ?? 1), "0");
  });
}

function expandMember(member: string): readonly string[] {
  const [, before, first, last, digits, behind] = MEMBERS.exec(member) ?? [];
  if (before === undefined) return [member];
  const [from, to] = [Number(first), Number(last)];
  // One more than may be is enough to be refused.
  const count = Math.min(Math.max(0, to - from + 1), MEMBERS_MAX + 1);
  return Array.from({ length: count }, (_, index) => {
    const number = String(from + index).padStart(Number(digits ?? 1), "0");
    return `${before}${number}${behind ?? ""}`;
  });
}
