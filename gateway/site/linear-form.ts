/** `7000*channel + 100*shortAddress + 6`, compiled: the sum of the terms and the constant. */
export interface LinearForm {
  readonly constant: number;
  readonly terms: readonly { readonly parameter: string; readonly factor: number }[];
}

/** A linear form that breaks the grammar; `column` is where in the text, from 1. */
export class LinearFormError extends Error {
  override readonly name = "LinearFormError";
  readonly column: number;
  constructor(column: number, message: string) {
    super(message);
    this.column = column;
  }
}

/** Longest form, in characters. */
const FORM_LENGTH_MAX = 200;
/** Largest number that a form may name: beyond any address of any protocol. */
const NUMBER_MAX = 1_000_000_000;
const FORM_LIKE = /^[\w\s.*+\-/()%^]+$/;
const MULTIPLICATION = /\d\s*\*|\*\s*\d/;
const OPERATOR = /[*+\-/()%^]/;

/**
 * Whether a text in an address is meant as a form, and not as a word of the driver such as `holding`: it
 * multiplies a number, or it names a parameter alone or beside an operator.
 */
export function looksLikeLinearForm(text: string, parameters: readonly string[]): boolean {
  if (!FORM_LIKE.test(text)) return false;
  if (MULTIPLICATION.test(text)) return true;
  const words = text.match(/[A-Za-z][A-Za-z0-9]*/g) ?? [];
  if (!words.some((word) => parameters.includes(word))) return false;
  return OPERATOR.test(text) || words[0] === text.trim();
}

/**
 * Grammar: `["-"] term { ("+" | "-") term }`, `term = factor { "*" factor }`, a factor is a whole number or the
 * name of a parameter, and a term holds at most one name. Nothing is ever evaluated as code.
 * @throws {LinearFormError}
 */
export function parseLinearForm(text: string, parameters: readonly string[]): LinearForm {
  if (text.length > FORM_LENGTH_MAX) {
    throw new LinearFormError(FORM_LENGTH_MAX, `the form has more than ${FORM_LENGTH_MAX} characters`);
  }
  const reader = new TokenReader(text);
  const factors = new Map<string, number>();
  let constant = 0;
  let sign = reader.takeIf("-") ? -1 : 1;
  for (;;) {
    const term = parseTerm(reader, parameters);
    const value = sign * term.factor;
    if (term.parameter === null) constant += value;
    else factors.set(term.parameter, (factors.get(term.parameter) ?? 0) + value);
    if (reader.atEnd()) break;
    sign = reader.takeSign();
  }
  return { constant, terms: [...factors].map(([parameter, factor]) => ({ parameter, factor })) };
}

/** @throws {RangeError} when a parameter has no value; the loader gives each one. */
export function evaluateLinearForm(form: LinearForm, values: Readonly<Record<string, number>>): number {
  return form.terms.reduce((sum, { parameter, factor }) => {
    const value = values[parameter];
    if (value === undefined) throw new RangeError(`parameter ${parameter} has no value`);
    return sum + factor * value;
  }, form.constant);
}

interface Term {
  readonly factor: number;
  readonly parameter: string | null;
}

function parseTerm(reader: TokenReader, parameters: readonly string[]): Term {
  let factor = 1;
  let parameter: string | null = null;
  do {
    const column = reader.column();
    const token = reader.takeFactor();
    if (typeof token === "number") factor *= token;
    else if (!parameters.includes(token))
      throw new LinearFormError(column, `${token} is no parameter of this profile`);
    else if (parameter !== null)
      throw new LinearFormError(column, "two parameters are multiplied: not linear");
    else parameter = token;
    if (factor > NUMBER_MAX) throw new LinearFormError(column, `a number above ${NUMBER_MAX}`);
  } while (reader.takeIf("*"));
  return { factor, parameter };
}

class TokenReader {
  readonly #text: string;
  readonly #token = /\s*(?:(\d+)|([A-Za-z][A-Za-z0-9]*)|([*+-]))/y;
  #position = 0;

  constructor(text: string) {
    this.#text = text.trimEnd();
  }

  atEnd(): boolean {
    return this.#position >= this.#text.length;
  }

  column(): number {
    const spaces = /\s*/y;
    spaces.lastIndex = this.#position;
    return this.#position + (spaces.exec(this.#text)?.[0].length ?? 0) + 1;
  }

  takeFactor(): number | string {
    const column = this.column();
    const match = this.#match();
    const [, number, name] = match ?? [];
    if (number === undefined && name === undefined) {
      throw new LinearFormError(column, "a whole number or the name of a parameter is missing here");
    }
    this.#position = this.#token.lastIndex;
    return name ?? Number(number);
  }

  takeSign(): 1 | -1 {
    if (this.takeIf("+")) return 1;
    if (this.takeIf("-")) return -1;
    throw new LinearFormError(this.column(), "only whole numbers, names of parameters and + - * are allowed");
  }

  takeIf(operator: string): boolean {
    if (this.#match()?.[3] !== operator) return false;
    this.#position = this.#token.lastIndex;
    return true;
  }

  #match(): RegExpExecArray | null {
    this.#token.lastIndex = this.#position;
    return this.#token.exec(this.#text);
  }
}
