import type { ReadView } from "../api/answers.ts";
import { useWording } from "../app/console-context.ts";
import { ProblemNote } from "../panels/problem-note.tsx";
import type { Reading } from "./use-read.ts";

/** A press that asks the device itself, and what came of it. */
export function ReadNow(props: {
  readonly reading: Reading;
  readonly onRead: () => void;
  /** Without a link there is nobody to ask. */
  readonly link: "up" | "degraded" | "down";
}) {
  const wording = useWording();
  const { reading, onRead, link } = props;
  return (
    <div class="read-now">
      <button type="button" disabled={link === "down" || reading.name === "reading"} onClick={onRead}>
        {wording.text(reading.name === "reading" ? "read.reading" : "read.now")}
      </button>
      <p role="status">{reading.name === "answered" && <Outcome answer={reading.answer} />}</p>
      {reading.name === "refused" && <ProblemNote problem={reading.problem} />}
    </div>
  );
}

function Outcome({ answer }: { readonly answer: ReadView }) {
  const wording = useWording();
  if (answer.outcome === "not-answered") return <>{wording.text("read.not-answered")}</>;
  const all = answer.points.length;
  const n = answer.points.filter(({ read }) => read !== null && read.value !== null).length;
  if (n < all) return <>{wording.text("read.some", { n, all })}</>;
  return <>{wording.text("read.done", { n: wording.number(answer.tookMs / 1_000) })}</>;
}
