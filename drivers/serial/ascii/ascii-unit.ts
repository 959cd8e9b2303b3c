import assert from "node:assert/strict";
import { DeviceFault } from "../../../domain/errors.ts";
import type { PointDefinition } from "../../../domain/point.ts";
import type { PointValue } from "../../../domain/reading.ts";
import type { Exchange, Sample, UnitSession } from "../../driver.ts";
import type { SerialAddress } from "../serial-address.ts";
import type { AsciiAddress } from "./ascii-address.ts";
import type { AsciiLine } from "./ascii-line.ts";
import { sampleOf, textOf } from "./ascii-values.ts";
import { fillPattern, matchPattern, type TextPattern } from "./text-pattern.ts";

type AsciiPoint = PointDefinition<AsciiAddress>;

/** Points that one line answers. */
class AsciiExchange implements Exchange<SerialAddress> {
  readonly points: readonly AsciiPoint[];
  readonly label: string;

  constructor(points: readonly AsciiPoint[], unit: number) {
    this.points = points;
    this.label = `ask ${JSON.stringify(points[0]?.address.read?.question)} of unit ${unit}`;
  }
}

/** A device that is asked and answers in lines of text, as its profile declares. */
export class AsciiUnit implements UnitSession<SerialAddress> {
  readonly #unit: number;
  readonly #line: AsciiLine;

  constructor(unit: number, line: AsciiLine) {
    this.#unit = unit;
    this.#line = line;
  }

  plan(points: readonly PointDefinition<SerialAddress>[]): readonly Exchange<SerialAddress>[] {
    const own = points.filter(isAscii);
    const groups = Map.groupBy(own, ({ address }) =>
      JSON.stringify([address.read?.question, address.framing]),
    );
    return [...groups.values()].map((members) => new AsciiExchange(members, this.#unit));
  }

  async exchange(exchange: Exchange<SerialAddress>, signal: AbortSignal): Promise<readonly Sample[]> {
    assert(exchange instanceof AsciiExchange, "an exchange comes from plan() of the same driver");
    const [first] = exchange.points;
    const read = first?.address.read;
    if (first === undefined || read === undefined)
      return exchange.points.map(({ name }) => onlyWritten(name));
    const text = fillPattern(read.ask, { unit: this.#unit });
    const question = { unit: this.#unit, text, framing: first.address.framing, label: exchange.label };
    const answer = await this.#line.ask(
      question,
      (told) => this.#samplesOf(exchange.points, told) ?? this.#refusal(first.address.refused, told),
      signal,
    );
    if (answer === "refused") throw new DeviceFault("unknown-address", exchange.label, refusal());
    return answer;
  }

  async write(point: PointDefinition<SerialAddress>, value: PointValue, signal: AbortSignal): Promise<void> {
    const label = `write ${JSON.stringify(value)} to ${point.name} of unit ${this.#unit}`;
    const written = isAscii(point) ? point.address.write : undefined;
    if (!isAscii(point) || written === undefined)
      throw new DeviceFault("unknown-address", label, { cause: new Error("not sent: it is only read") });
    const content = textOf(point, value);
    if ("why" in content)
      throw new DeviceFault("refused-by-device", label, { cause: new Error(`not sent: ${content.why}`) });
    const text = fillPattern(written.tell, { unit: this.#unit, value: content.text });
    const answer = await this.#line.ask(
      { unit: this.#unit, text, framing: point.address.framing, label },
      (told) => this.#done(written.done, told) ?? this.#refusal(point.address.refused, told),
      signal,
    );
    if (answer === "refused") throw new DeviceFault("refused-by-device", label, refusal());
  }

  /** `undefined`: the text is no answer to the question of these points. */
  #samplesOf(points: readonly AsciiPoint[], text: string): readonly Sample[] | undefined {
    const matches = points.map(({ address }) =>
      address.read === undefined ? "another text" : matchPattern(address.read.answer, text, this.#unit),
    );
    if (!matches.some((match) => typeof match === "object")) return undefined;
    return points.map((point, index) => {
      const match = matches[index];
      return typeof match === "object" ? sampleOf(point, match.value ?? "") : notIn(point.name);
    });
  }

  #done(pattern: TextPattern, text: string): "done" | undefined {
    return typeof matchPattern(pattern, text, this.#unit) === "object" ? "done" : undefined;
  }

  #refusal(pattern: TextPattern | undefined, text: string): "refused" | undefined {
    if (pattern === undefined) return undefined;
    return typeof matchPattern(pattern, text, this.#unit) === "object" ? "refused" : undefined;
  }
}

/** Made when it is needed: an error made while this module loads would hold on to its loader, which has a whole site in hand. */
function refusal(): { readonly cause: Error } {
  return { cause: new Error("the device answered that it will not") };
}

function isAscii(point: PointDefinition<SerialAddress>): point is AsciiPoint {
  return point.address.dialect === "ascii";
}

function onlyWritten(name: string): Sample {
  return { fault: new DeviceFault("unknown-address", `read ${name}, which is only written`) };
}

function notIn(name: string): Sample {
  const cause = new Error("the answer has no such part: check the profile's answer");
  return { fault: new DeviceFault("malformed-reply", `read ${name}`, { cause }) };
}
