import type { PointAnswer } from "../local-api/client/answers.ts";
import { CliError } from "./cli-error.ts";

const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  on: true,
  yes: true,
  "1": true,
  false: false,
  off: false,
  no: false,
  "0": false,
};
const NUMBER = /^([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*)$/;

/** What a person wrote, as the point's type wants it: `40`, `40%`, `40 %`, `on`, `false`. @throws {CliError} `usage` */
export function parseValue(
  text: string,
  point: Pick<PointAnswer, "pointId" | "type" | "unit">,
): number | boolean | string {
  switch (point.type) {
    case "boolean":
      return parseBoolean(text, point.pointId);
    case "number":
      return parseNumber(text, point);
    case "action":
      if (text.trim().toLowerCase() === "run") return true;
      throw new CliError(
        "usage",
        `${point.pointId} is an action: write run, then name=value for each argument`,
      );
    default:
      return text;
  }
}

/** `position=yellow-flash timeout=30`, in any order, as the action's arguments in theirs. @throws {CliError} `usage` */
export function parseArguments(
  texts: readonly string[],
  { pointId, args }: Pick<PointAnswer, "pointId" | "args">,
): readonly (number | boolean | string)[] {
  const given = new Map(
    texts.map((text) => {
      const at = text.indexOf("=");
      return at < 1 ? ([text, undefined] as const) : ([text.slice(0, at), text.slice(at + 1)] as const);
    }),
  );
  const names = args.map(({ name }) => name);
  const takes =
    names.length === 0 ? "takes no arguments" : `takes ${names.map((name) => `${name}=…`).join(" ")}`;
  const unknown = [...given.keys()].find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new CliError("usage", `${pointId} ${takes}, not ${JSON.stringify(unknown)}`);
  return args.map((argument) => {
    const text = given.get(argument.name);
    if (text === undefined) throw new CliError("usage", `${pointId} ${takes}: ${argument.name} is missing`);
    return parseValue(text, { ...argument, pointId: `${pointId}, argument ${argument.name},` });
  });
}

function parseBoolean(text: string, pointId: string): boolean {
  const word = text.trim().toLowerCase();
  const value = Object.hasOwn(BOOLEANS, word) ? BOOLEANS[word] : undefined;
  if (value === undefined)
    throw new CliError(
      "usage",
      `${pointId} takes on or off, not ${JSON.stringify(text)}: write on, off, true or false`,
    );
  return value;
}

/** A unit may follow, but only the point's own: `40 W` for a point in kW would be a thousand times too much. */
function parseNumber(text: string, { pointId, unit }: Pick<PointAnswer, "pointId" | "unit">): number {
  const match = NUMBER.exec(text.trim());
  const [, digits, written] = match ?? [];
  const value = Number(digits);
  const example = unit === "1" ? "40" : `40 or "40 ${unit}"`;
  if (digits === undefined || !Number.isFinite(value))
    throw new CliError(
      "usage",
      `${pointId} takes a number, not ${JSON.stringify(text)}: write e.g. ${example}`,
    );
  if (written !== "" && written !== unit)
    throw new CliError(
      "usage",
      `${pointId} is in ${unit === "1" ? "no unit" : unit}, not in ${written}: write e.g. ${example}`,
    );
  return value;
}
