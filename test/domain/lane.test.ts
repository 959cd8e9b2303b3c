import fc from "fast-check";
import t from "tap";
import { addRange, coversRange, missingFrom, type RangeSet, type SequenceRange } from "../../domain/lane.ts";

const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000_000);
t.comment(`SEED=${seed}`);

/** Small numbers, so that ranges meet, touch and swallow each other often. */
const range = fc.record({ first: fc.integer({ min: 1, max: 40 }), count: fc.integer({ min: 1, max: 12 }) });
const ranges = fc.array(range, { maxLength: 12 });

function membersOf(set: RangeSet): ReadonlySet<number> {
  return new Set(
    set.flatMap(({ first, count }) => Array.from({ length: count }, (_, index) => first + index)),
  );
}

function sorted(members: Iterable<number>): readonly number[] {
  return [...members].sort((left, right) => left - right);
}

/** In order, and with at least one sequence missing between two neighbours. */
function isTidy(set: RangeSet): boolean {
  return set.every((each, index) => {
    const before = set[index - 1];
    return each.count >= 1 && (before === undefined || before.first + before.count < each.first);
  });
}

t.test("a range set holds exactly what was added, in order, neighbours merged", (t) => {
  fc.assert(
    fc.property(ranges, (added) => {
      const set = added.reduce<RangeSet>(addRange, []);
      t.ok(isTidy(set), JSON.stringify(set));
      t.same(sorted(membersOf(set)), sorted(membersOf(added)));
    }),
    { seed },
  );
  t.end();
});

t.test("what is missing from a range is exactly what the set lacks of it", (t) => {
  fc.assert(
    fc.property(ranges, range, (added, asked: SequenceRange) => {
      const set = added.reduce<RangeSet>(addRange, []);
      const held = membersOf(set);
      const missing = missingFrom(set, asked);
      t.ok(isTidy(missing), JSON.stringify(missing));
      const expected = sorted(membersOf([asked])).filter((each) => !held.has(each));
      t.same(sorted(membersOf(missing)), expected);
      t.equal(coversRange(set, asked), expected.length === 0);
    }),
    { seed },
  );
  t.end();
});

t.test("adding what is missing completes the range; the order of adding does not matter", (t) => {
  fc.assert(
    fc.property(ranges, range, (added, asked) => {
      const set = added.reduce<RangeSet>(addRange, []);
      const completed = missingFrom(set, asked).reduce<RangeSet>(addRange, set);
      t.ok(coversRange(completed, asked));
      t.same(completed, addRange(set, asked));
      t.same(added.toReversed().reduce<RangeSet>(addRange, []), set);
    }),
    { seed },
  );
  t.end();
});

t.test("a set is never changed by adding to it", (t) => {
  const set: RangeSet = [{ first: 1, count: 2 }];
  t.same(addRange(set, { first: 3, count: 1 }), [{ first: 1, count: 3 }]);
  t.same(set, [{ first: 1, count: 2 }]);
  t.end();
});
