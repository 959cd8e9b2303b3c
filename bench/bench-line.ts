/** One measured figure, beside the raw loop over the same library in the same run. */
export interface BenchLine {
  readonly bench: string;
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  /** The raw loop's figure, in the same unit. */
  readonly baseline: number;
  /** `value / baseline`: what can be compared between machines. */
  readonly ratio: number;
  readonly goal: string;
  readonly ok: boolean;
  readonly details: Readonly<Record<string, number | string>>;
}

/** The line for people. */
export function formatLine(line: BenchLine): string {
  const details = Object.entries(line.details).map(([name, value]) => `${name} ${value}`);
  return [
    `${line.bench}: ${line.name}`,
    `  ${line.value} ${line.unit}; raw loop ${line.baseline}; ratio ${line.ratio} (${line.goal}${line.ok ? "" : ", MISSED"})`,
    `  ${details.join(", ")}`,
    "",
  ].join("\n");
}
