import type { ArgumentView, PointValue } from "../api/answers.ts";
import { argumentText } from "../texts/device-texts.ts";
import type { Wording } from "../texts/wording.ts";

/** As the person wrote them, by name; one that is not there was not touched yet. */
export type WrittenArguments = Readonly<Record<string, string>>;

/** What was written for one argument: the value, or what is wrong with it in words. */
export type JudgedArgument = { readonly value: PointValue } | { readonly problem: string };

/** By the same rules as center and gateway, so that what is sent is taken. */
export function judgeArgument(
  argument: ArgumentView,
  written: string | undefined,
  wording: Wording,
): JudgedArgument {
  const name = argumentText(wording.language, argument.name);
  const text = written?.trim() ?? "";
  if (argument.oneOf !== undefined) return chosen(argument.oneOf, text, { name, wording });
  if (text === "") return { problem: wording.text("argument.missing", { name }) };
  if (argument.type === "text") return { value: text };
  if (argument.type === "boolean") return { value: text === "true" };
  const number = Number(text.replace(",", "."));
  if (!Number.isFinite(number)) return { problem: wording.text("argument.not-number", { name }) };
  const { range } = argument;
  if (range === undefined || (number >= range.min && number <= range.max)) return { value: number };
  const max = wording.value(range.max, argument.unit);
  return { problem: wording.text("argument.outside", { name, min: wording.number(range.min), max }) };
}

function chosen(
  oneOf: readonly PointValue[],
  text: string,
  said: { readonly name: string; readonly wording: Wording },
): JudgedArgument {
  const value = oneOf.find((each) => String(each) === text);
  return value === undefined
    ? { problem: said.wording.text("argument.missing", { name: said.name }) }
    : { value };
}

/** All of them in order; undefined while one is missing or wrong. */
export function argumentValues(
  args: readonly ArgumentView[],
  written: WrittenArguments,
  wording: Wording,
): readonly PointValue[] | undefined {
  const judged = args.map((argument) => judgeArgument(argument, written[argument.name], wording));
  const values = judged.flatMap((each) => ("value" in each ? [each.value] : []));
  return values.length === args.length ? values : undefined;
}

/** `Route 3 · Arrives in 15 s`; empty for an order without arguments. */
export function argumentsText(
  {
    args,
    argsTaken,
  }: {
    readonly args: readonly PointValue[];
    readonly argsTaken: readonly { readonly name: string; readonly unit: string }[];
  },
  wording: Wording,
): string {
  return args
    .map((value, index) => {
      const taken = argsTaken[index];
      if (taken === undefined) return wording.value(value, null);
      return `${argumentText(wording.language, taken.name)} ${wording.value(value, taken.unit)}`;
    })
    .join(" · ");
}
