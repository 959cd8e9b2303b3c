import type { ArgumentView } from "../api/answers.ts";
import { useWording } from "../app/console-context.ts";
import { argumentText } from "../texts/device-texts.ts";
import type { Wording } from "../texts/wording.ts";
import { judgeArgument, type WrittenArguments } from "./argument-values.ts";

interface FieldsProps {
  readonly args: readonly ArgumentView[];
  readonly written: WrittenArguments;
  readonly onWrite: (written: WrittenArguments) => void;
}

/** One labelled field for each argument, with its unit, its range, and what is wrong with what was written. */
export function ArgumentFields({ args, written, onWrite }: FieldsProps) {
  const wording = useWording();
  return (
    <fieldset class="arguments" aria-label={wording.text("command.arguments")}>
      {args.map((argument) => (
        <Field
          key={argument.name}
          argument={argument}
          text={written[argument.name]}
          onWrite={(text) => onWrite({ ...written, [argument.name]: text })}
        />
      ))}
    </fieldset>
  );
}

interface FieldProps {
  readonly argument: ArgumentView;
  /** Undefined: not touched yet, so nothing is wrong with it yet. */
  readonly text: string | undefined;
  readonly onWrite: (text: string) => void;
}

function Field({ argument, text, onWrite }: FieldProps) {
  const wording = useWording();
  const id = `argument-${argument.name}`;
  const judged = text === undefined ? undefined : judgeArgument(argument, text, wording);
  const problem = judged !== undefined && "problem" in judged ? judged.problem : undefined;
  const hint = hintOf(argument, wording);
  return (
    <div class={problem === undefined ? "argument" : "argument wrong"}>
      <label for={id}>{argumentText(wording.language, argument.name)}</label>
      <span class="exact">
        <Entry id={id} argument={argument} text={text ?? ""} problem={problem} onWrite={onWrite} />
        {wording.unit(argument.unit)}
      </span>
      <small id={`${id}-note`} class={problem === undefined ? "hint" : "problem"}>
        {problem ?? hint}
      </small>
    </div>
  );
}

interface EntryProps extends FieldProps {
  readonly id: string;
  readonly text: string;
  readonly problem: string | undefined;
}

function Entry({ id, argument, text, problem, onWrite }: EntryProps) {
  const wording = useWording();
  const common = {
    id,
    value: text,
    "aria-describedby": `${id}-note`,
    "aria-invalid": problem !== undefined,
  } as const;
  const choices = argument.oneOf ?? (argument.type === "boolean" ? [true, false] : undefined);
  if (choices !== undefined)
    return (
      <select {...common} onChange={(event) => onWrite(event.currentTarget.value)}>
        <option value="">{wording.text("command.choose")}</option>
        {choices.map((choice) => (
          <option key={String(choice)} value={String(choice)}>
            {wording.value(choice, argument.unit)}
          </option>
        ))}
      </select>
    );
  // Not of type number: a browser gives "" for what it can not read, and nobody could say what is wrong with it.
  return (
    <input
      {...common}
      type="text"
      inputMode={argument.type === "number" ? "decimal" : "text"}
      autocomplete="off"
      maxLength={4_096}
      onInput={(event) => onWrite(event.currentTarget.value)}
    />
  );
}

function hintOf({ range }: ArgumentView, wording: Wording): string {
  if (range === undefined) return "";
  return wording.text("argument.range", { min: wording.number(range.min), max: wording.number(range.max) });
}
