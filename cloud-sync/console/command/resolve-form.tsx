import { useState } from "preact/hooks";
import type { CommandView, DeviceView, ResolutionView } from "../api/answers.ts";
import { CenterProblem } from "../api/center-client.ts";
import { useConsole, useWording } from "../app/console-context.ts";
import { ProblemNote } from "../panels/problem-note.tsx";
import { pointText, qualityText } from "../texts/device-texts.ts";

interface ResolveProps {
  readonly command: CommandView;
  /** For the units; undefined where the device is not open. */
  readonly view: Pick<DeviceView, "points"> | undefined;
}

/** An unknown outcome is resolved by a person, once; it stays unknown, and what was found stands beside it (I27). */
export function Resolution({ command, view }: ResolveProps) {
  if (command.state.name !== "outcome-unknown") return null;
  if (command.resolution !== null) return <Resolved resolution={command.resolution} view={view} />;
  return <ResolveForm id={command.id} />;
}

function ResolveForm({ id }: { readonly id: string }) {
  const parts = useConsole();
  const wording = useWording();
  const [note, setNote] = useState("");
  const [busy, setBusy] = useState<"yes" | "no">("no");
  const [problem, setProblem] = useState<CenterProblem | undefined>(undefined);
  const resolve = async (): Promise<void> => {
    setBusy("yes");
    setProblem(undefined);
    try {
      await parts.client.resolve(id, note.trim());
      parts.commandsMoved.set(parts.commandsMoved.value + 1);
    } catch (cause) {
      if (!(cause instanceof CenterProblem)) throw cause;
      setProblem(cause);
    } finally {
      setBusy("no");
    }
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    if (note.trim() !== "") resolve().catch(window.reportError);
  };
  return (
    <form class="resolve" onSubmit={submit}>
      <h3>{wording.text("resolve.title")}</h3>
      <p class="hint">{wording.text("resolve.hint")}</p>
      <textarea
        aria-label={wording.text("resolve.note")}
        placeholder={wording.text("resolve.note")}
        rows={2}
        maxLength={2_000}
        value={note}
        onInput={(event) => setNote(event.currentTarget.value)}
      />
      <button type="submit" class="primary" disabled={note.trim() === "" || busy === "yes"}>
        {wording.text(busy === "yes" ? "read.reading" : "resolve.go")}
      </button>
      {problem !== undefined && <ProblemNote problem={problem} />}
    </form>
  );
}

function Resolved(props: { readonly resolution: ResolutionView; readonly view: ResolveProps["view"] }) {
  const wording = useWording();
  const { by, atMs, note, evidence } = props.resolution;
  return (
    <div class="resolved">
      <p>
        <b>{wording.text("resolve.by", { by, at: wording.dayAndClock(atMs) })}</b> {note}
      </p>
      {evidence !== null && <ResolvedEvidence evidence={evidence} view={props.view} />}
    </div>
  );
}

type Evidence = NonNullable<ResolutionView["evidence"]>;

function ResolvedEvidence({
  evidence,
  view,
}: {
  readonly evidence: Evidence;
  readonly view: ResolveProps["view"];
}) {
  const wording = useWording();
  return (
    <dl class="selected">
      <dt class="of">
        {evidence.outcome === "read"
          ? wording.text("resolve.read")
          : wording.text("resolve.told", { why: wording.text(`read.why.${evidence.outcome}`) })}
      </dt>
      {evidence.points.map(({ pointId, value, quality, source, ageMs }) => {
        const name = pointId.split("/")[1] ?? pointId;
        const unit = view?.points.find((point) => point.name === name)?.unit ?? null;
        const age = wording.age(ageMs ?? Number.POSITIVE_INFINITY);
        return (
          <div key={pointId}>
            <dt>{pointText(wording.language, name)}</dt>
            <dd>
              {wording.value(value, unit)}
              <small>
                {source === "read" && quality === "good"
                  ? wording.text("read.source")
                  : `${qualityText(wording.language, quality)} · ${age}`}
              </small>
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
