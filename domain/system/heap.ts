import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Minutes } from "../time.ts";

/**
 * V8's heap of a program that starts: 4 MiB for a third of the young generation, and an old one that is swept first at 64 MiB, then
 * when it has doubled. V8's own choices are made for a program that has the machine to itself: 16 MiB, and up to four times.
 */
export const SEMI_SPACE_FLAG = "--max-semi-space-size=4";
/**
 * The last compiler takes a function when it was called so often, not 3,000 times: a dozen programs that start together on two
 * cores spent a tenth of their CPU in it, on functions that were hardly needed again.
 */
const COMPILE_FLAG = "--invocation-count-for-turbofan=20000";
export const START_HEAP_FLAGS: readonly string[] = [
  SEMI_SPACE_FLAG,
  "--initial-old-space-size=64",
  "--heap-growing-percent=100",
  COMPILE_FLAG,
];

/** A field host, of which a gateway has several, holds little, and what it reads lives shortly. */
export const HOST_HEAP_FLAGS: readonly string[] = START_HEAP_FLAGS.with(0, "--max-semi-space-size=2");

/** What lives has come by then; afterwards a heap grows by an eighth of it. */
const SETTLED_AFTER = Minutes(1);
const SETTLED_FLAG = "--heap-growing-percent=12";

/**
 * To be called once where a program begins. While what lives still comes, each sweep of a heap that grows by so little finds
 * nothing: a tenth of a start's CPU. Later there is little to come, and the room is worth more. V8 asks for the flag at each
 * sweep, and the next would come when the heap has doubled once more: it is swept and compacted once, 0.2 s for the 130 MB of the city's
 * largest gateway. A program that ends before is not held up.
 */
export function settleHeap(): void {
  setTimeout(() => {
    setFlagsFromString(SETTLED_FLAG);
    setFlagsFromString("--expose-gc");
    const sweep: (how: object) => void = runInNewContext("gc");
    sweep({ type: "major", flavor: "last-resort" });
  }, SETTLED_AFTER).unref();
}
