import { DeviceFault } from "../../../domain/errors.ts";
import type { LineLedger } from "../../line/line-ledger.ts";
import type { CutFrame } from "./frame-cutter.ts";

/** What a text says as an answer; `undefined`: it is none to this question. */
export type Judge<Answer> = (text: string) => Answer | "refused" | undefined;

/** The answer to a question for which nobody waits any more. */
export interface OwedAnswer {
  /** Whether the text is the answer that was still owed; it is paid then. */
  takeOwed(text: string): boolean;
}

/** One question from its sending to its answer, and after its time until the next: what comes then is late. */
export class AskedQuestion<Answer> implements OwedAnswer {
  readonly answer: Promise<Answer | "refused">;
  readonly #label: string;
  readonly #judge: Judge<Answer>;
  readonly #ledger: LineLedger;
  #before: OwedAnswer | undefined;
  readonly #settle: {
    readonly resolve: (answer: Answer | "refused") => void;
    readonly reject: (reason: unknown) => void;
  };
  #state: "waiting" | "owed" | "over" = "waiting";
  #heard: "nothing" | "strangers" | "broken" = "nothing";

  constructor(
    { label, judge }: { readonly label: string; readonly judge: Judge<Answer> },
    ledger: LineLedger,
    before: OwedAnswer | undefined,
  ) {
    const { promise, ...settle } = Promise.withResolvers<Answer | "refused">();
    promise.catch(() => {});
    this.answer = promise;
    this.#label = label;
    this.#judge = judge;
    this.#ledger = ledger;
    this.#before = before;
    this.#settle = settle;
  }

  get heard(): "nothing" | "strangers" | "broken" {
    return this.#heard;
  }

  take(frame: CutFrame): void {
    if ("text" in frame) this.#takeText(frame.text);
    else this.noteBroken(frame.defect === "wrong checksum" ? "crcErrors" : "shortFrames");
  }

  /** The answer came damaged, or not to its end. */
  noteBroken(how: "crcErrors" | "shortFrames"): void {
    this.#ledger.count(how);
    if (this.#state === "waiting") this.#heard = "broken";
  }

  expire(): void {
    const code = this.#heard === "nothing" ? "timeout" : "malformed-reply";
    this.giveUp(new DeviceFault(code, this.#label));
  }

  /** Nobody waits any more; the answer is owed. */
  giveUp(reason: unknown): void {
    if (this.#state === "waiting") this.#state = "owed";
    // What was owed before that will not come any more; a chain of silent questions would grow for ever.
    this.#before = undefined;
    this.#settle.reject(reason);
  }

  takeOwed(text: string): boolean {
    if (this.#state !== "owed" || this.#judge(text) === undefined) return false;
    this.#state = "over";
    this.#ledger.count("lateReplies");
    return true;
  }

  #takeText(text: string): void {
    const answer = this.#state === "waiting" ? this.#judge(text) : undefined;
    if (answer !== undefined) {
      this.#state = "over";
      this.#settle.resolve(answer);
      return;
    }
    if (this.takeOwed(text) || this.#before?.takeOwed(text) === true) return;
    this.#ledger.count("unexpectedSenders");
    if (this.#state === "waiting" && this.#heard === "nothing") this.#heard = "strangers";
  }
}
