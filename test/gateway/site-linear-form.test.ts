import fc from "fast-check";
import t from "tap";
import {
  evaluateLinearForm,
  LinearFormError,
  looksLikeLinearForm,
  parseLinearForm,
} from "../../gateway/site/linear-form.ts";

const NAMES = ["channel", "shortAddress", "group"] as const;

interface Term {
  readonly factor: number;
  readonly name: (typeof NAMES)[number] | null;
  /** The name before the number. */
  readonly swap: boolean;
}

function factorsOf({ factor, name, swap }: Term): readonly (string | number)[] {
  if (name === null) return [factor];
  return swap ? [name, factor] : [factor, name];
}

t.test("a linear form means the sum it says, however it is spaced", (t) => {
  const term = fc.record({
    factor: fc.nat(9_999),
    name: fc.option(fc.constantFrom(...NAMES)),
    swap: fc.boolean(),
  });
  const terms = fc.array(fc.record({ term, minus: fc.boolean(), space: fc.constantFrom("", " ", "  ") }), {
    minLength: 1,
    maxLength: 6,
  });
  const values = fc.record({ channel: fc.nat(3), shortAddress: fc.nat(63), group: fc.nat(15) });
  const property = fc.property(terms, values, (parts, given) => {
    const text = parts.map(({ term, minus, space }, index) => {
      const plus = index === 0 ? "" : "+";
      return `${minus ? "-" : plus}${space}${factorsOf(term).join(`${space}*${space}`)}`;
    });
    const form = parseLinearForm(text.join(" "), NAMES);
    const expected = parts.reduce((sum, { term: { factor, name }, minus }) => {
      const value = factor * (name === null ? 1 : given[name]);
      return sum + (minus ? -value : value);
    }, 0);
    return evaluateLinearForm(form, given) === expected;
  });
  const result = fc.check(property, { numRuns: 300 });
  t.notOk(result.failed, `SEED=${result.seed} ${JSON.stringify(result.counterexample)}`);
  t.end();
});

t.test("any other text is refused with its column, and nothing else is ever thrown", (t) => {
  const piece = fc.constantFrom(
    "7000",
    "*",
    "+",
    "-",
    "channel",
    " ",
    "(",
    ")",
    "/",
    "1.5",
    "0x10",
    "process",
    "e3",
  );
  const property = fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
    const text = pieces.join("");
    try {
      const { terms, constant } = parseLinearForm(text, ["channel"]);
      return Number.isSafeInteger(constant) && terms.every(({ parameter }) => parameter === "channel");
    } catch (error) {
      return error instanceof LinearFormError && error.column >= 1 && error.column <= text.length + 1;
    }
  });
  const result = fc.check(property, { numRuns: 1_000 });
  t.notOk(result.failed, `SEED=${result.seed} ${JSON.stringify(result.counterexample)}`);
  for (const text of [
    "",
    "channel*channel",
    "1 +",
    "* 2",
    "channel 2",
    "2(channel)",
    "1.5*channel",
    "9".repeat(12),
  ]) {
    t.throws(() => parseLinearForm(text, ["channel"]), { name: "LinearFormError" }, text);
  }
  t.end();
});

t.test("a word of the driver is no linear form, and a mistyped form is not taken for a word", (t) => {
  const isForm = (text: string): boolean => looksLikeLinearForm(text, ["channel"]);
  t.strictSame(["holding", "u16", "big", "ns=2;s=channel.A", "channel-a"].map(isForm), [
    false,
    false,
    false,
    false,
    true,
  ]);
  t.strictSame(["7000*chanel", "channel", "6 + channel", "(channel)"].map(isForm), [true, true, true, true]);
  t.end();
});
