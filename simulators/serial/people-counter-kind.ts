import { PACED_LINE_HELP, pacedLineOf } from "../line/paced-line.ts";
import type { DeviceKind } from "../simulated-device.ts";
import { PeopleCounter } from "./people-counter.ts";
import { CheckedLines, checkedLine } from "./text-device.ts";

/** A people counter alone on its line. */
export const peopleCounterKind: DeviceKind = {
  about: `people counter in lines of text: "address" 0 to 99, "in", "out" totals; ${PACED_LINE_HELP}`,
  parse: (fields) => {
    const total = { min: 0, max: 2 ** 24 - 1 };
    const given = {
      address: fields.optionalWholeNumber("address", { min: 0, max: 99 }) ?? 1,
      in: fields.optionalWholeNumber("in", total) ?? 0,
      out: fields.optionalWholeNumber("out", total) ?? 0,
    };
    const openLine = pacedLineOf(fields);
    return async (around) => {
      const counter = new PeopleCounter(around, given);
      const { line, actions } = await openLine(around);
      const lines = new CheckedLines();
      line.onBytes((bytes) => {
        for (const asked of lines.feed(bytes)) {
          const answer = counter.answer(asked);
          if (answer !== undefined) line.write(checkedLine(answer));
        }
      });
      return {
        reach: { ...line.reach, address: given.address },
        actions: [...actions, ...counter.actions],
        view: () => counter.view(),
        [Symbol.asyncDispose]: () => line[Symbol.asyncDispose](),
      };
    };
  },
};
