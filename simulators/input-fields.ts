/** What came from outside is wrong. The pointer (RFC 6901) names the field, the message says what was expected. */
export class InvalidField extends Error {
  override readonly name = "InvalidField";
  readonly pointer: string;
  constructor(pointer: string, expected: string) {
    super(`${pointer === "" ? "the document" : pointer}: expected ${expected}`);
    this.pointer = pointer;
  }
}

export interface NumberRange {
  readonly min: number;
  readonly max: number;
}

const SLUG = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/** @throws {InvalidField} unless the value is an id. */
export function slugAt(value: unknown, pointer: string): string {
  if (typeof value === "string" && SLUG.test(value)) return value;
  throw new InvalidField(pointer, "lower-case words joined by hyphens");
}

/** Reads the members of one JSON object, each once, and then refuses what nobody read. */
export class Fields {
  readonly #values: ReadonlyMap<string, unknown>;
  readonly #pointer: string;
  readonly #read = new Set<string>();

  /** @throws {InvalidField} unless `data` is an object. */
  constructor(data: unknown, pointer = "") {
    if (typeof data !== "object" || data === null || Array.isArray(data)) {
      throw new InvalidField(pointer, "an object");
    }
    this.#values = new Map(Object.entries(data));
    this.#pointer = pointer;
  }

  has(name: string): boolean {
    this.#read.add(name);
    return this.#values.get(name) !== undefined;
  }

  raw(name: string): unknown {
    this.#read.add(name);
    return this.#values.get(name);
  }

  pointerTo(name: string): string {
    return `${this.#pointer}/${name}`;
  }

  wholeNumber(name: string, range: NumberRange): number {
    const value = this.raw(name);
    const isGood = typeof value === "number" && Number.isInteger(value);
    if (!isGood || value < range.min || value > range.max) {
      throw new InvalidField(this.pointerTo(name), `a whole number from ${range.min} to ${range.max}`);
    }
    return value;
  }

  number(name: string, range: NumberRange): number {
    const value = this.raw(name);
    if (typeof value === "number" && value >= range.min && value <= range.max) return value;
    throw new InvalidField(this.pointerTo(name), `a number from ${range.min} to ${range.max}`);
  }

  optionalWholeNumber(name: string, range: NumberRange): number | undefined {
    return this.has(name) ? this.wholeNumber(name, range) : undefined;
  }

  oneOf<Choice extends string>(name: string, choices: readonly Choice[]): Choice {
    const value = this.raw(name);
    const choice = choices.find((candidate) => candidate === value);
    if (choice === undefined) throw new InvalidField(this.pointerTo(name), `one of ${choices.join(", ")}`);
    return choice;
  }

  text(name: string): string {
    const value = this.raw(name);
    if (typeof value !== "string" || value === "") throw new InvalidField(this.pointerTo(name), "a text");
    return value;
  }

  /** An id: lower-case words joined by hyphens. */
  slug(name: string): string {
    return slugAt(this.raw(name), this.pointerTo(name));
  }

  list(name: string): readonly unknown[] {
    const value = this.raw(name);
    if (!Array.isArray(value)) throw new InvalidField(this.pointerTo(name), "a list");
    return value;
  }

  /** @throws {InvalidField} for the first member that nobody asked for: a slip must not pass as a wish. */
  refuseUnknown(): void {
    for (const name of this.#values.keys()) {
      if (!this.#read.has(name)) {
        throw new InvalidField(
          this.pointerTo(name),
          `no such field; known are ${[...this.#read].join(", ")}`,
        );
      }
    }
  }
}
