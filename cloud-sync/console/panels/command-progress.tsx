import { useEffect, useState } from "preact/hooks";
import { type CommandView, type DeviceView, isOver } from "../api/answers.ts";
import { CenterProblem } from "../api/center-client.ts";
import { useConsole, useValue, useWording } from "../app/console-context.ts";
import { adviceText, STEPS, stateText, stepOf } from "../texts/command-texts.ts";
import type { Wording } from "../texts/wording.ts";
import { ProblemNote } from "./problem-note.tsx";

interface ProgressProps {
  readonly id: string;
  readonly view: DeviceView;
  readonly onDone: () => void;
}

/** Beside the hints of the stream it is asked this often while it is not over. */
const ASK_MS = 1_000;
const CANCELLABLE = ["draft", "awaiting-approval", "authorized", "queued"];

/** The four steps with their times, then the proof, or the cause and what to do. Each state is read aloud. */
export function CommandProgress({ id, view, onDone }: ProgressProps) {
  const parts = useConsole();
  const wording = useWording();
  const { command, problem } = useCommand(id);
  const state = command?.state.name;
  useEffect(() => {
    if (command === undefined) return;
    const said = [stateText(wording.language, command.state.name), resultText(command, view, wording)];
    parts.spoken.set(said.filter(Boolean).join(". "));
  }, [state, wording]);
  if (command === undefined) return problem === undefined ? null : <ProblemNote problem={problem} />;
  const cancel = (): void => void parts.client.cancel(id).catch(() => undefined);
  const advice = adviceText(wording.language, command.state);
  return (
    <div class={`progress ${isOver(command) ? "over" : "under-way"} ${command.state.name}`}>
      <Steps command={command} />
      {isOver(command) && (
        <p class="result">
          <b>{stateText(wording.language, command.state.name)}</b> {resultText(command, view, wording)}
        </p>
      )}
      {advice !== undefined && <p class="advice">{advice}</p>}
      {problem !== undefined && <ProblemNote problem={problem} />}
      {isOver(command) ? (
        <button type="button" class="primary" onClick={onDone}>
          {wording.text("command.again")}
        </button>
      ) : (
        CANCELLABLE.includes(command.state.name) && (
          <button type="button" class="quiet" onClick={cancel}>
            {wording.text("command.cancel")}
          </button>
        )
      )}
    </div>
  );
}

function Steps({ command }: { readonly command: CommandView }) {
  const wording = useWording();
  const current = STEPS.indexOf(stepOf(command.state.name));
  return (
    <ol class="steps">
      {STEPS.map((step, index) => {
        const reached = command.history.find(({ state }) => stepOf(state) === step);
        const standing =
          index < current ? "done" : index > current ? "ahead" : isOver(command) ? "end" : "now";
        const name = step === "succeeded" && isOver(command) ? command.state.name : step;
        const label = index === current ? command.state.name : name;
        return (
          <li
            key={step}
            class={reached === undefined && standing === "done" ? "skipped" : standing}
            aria-current={index === current ? "step" : undefined}
          >
            <b>{stateText(wording.language, label)}</b>
            <time>{reached === undefined ? "" : wording.clock(reached.at)}</time>
          </li>
        );
      })}
    </ol>
  );
}

/** What was read back, in words: empty when nothing was. */
export function resultText(
  command: CommandView,
  view: Pick<DeviceView, "points"> | undefined,
  wording: Wording,
): string {
  const { evidence } = command.state;
  if (evidence === undefined || evidence.readBacks.length === 0) return "";
  const name = command.pointId.split("/")[1];
  const unit = view?.points.find((point) => point.name === name)?.unit ?? null;
  const took = wording.text("command.took", { n: wording.number(evidence.took / 1_000) });
  const [only, ...more] = evidence.readBacks;
  if (more.length === 0 && only !== undefined)
    return `${wording.text("command.proof", { value: wording.value(only.value, unit) })} ${took}`;
  const agree = evidence.readBacks.filter(({ agrees }) => agrees).length;
  const value = wording.value(evidence.target, unit);
  return `${wording.text("command.proofs", { agree, n: evidence.readBacks.length, value })} ${took}`;
}

function useCommand(id: string): {
  readonly command: CommandView | undefined;
  readonly problem: CenterProblem | undefined;
} {
  const parts = useConsole();
  const moved = useValue(parts.commandsMoved);
  const [command, setCommand] = useState<CommandView | undefined>(undefined);
  const [problem, setProblem] = useState<CenterProblem | undefined>(undefined);
  const over = command !== undefined && isOver(command);
  useEffect(() => {
    if (over) return;
    let current = true;
    const ask = async (): Promise<void> => {
      try {
        const read = await parts.client.command(id);
        if (!current) return;
        setCommand(read);
        setProblem(undefined);
      } catch (cause) {
        if (!(cause instanceof CenterProblem)) throw cause;
        if (current) setProblem(cause);
      }
    };
    const askSafely = (): void => void ask().catch(window.reportError);
    askSafely();
    const timer = window.setInterval(askSafely, ASK_MS);
    return () => {
      current = false;
      window.clearInterval(timer);
    };
  }, [id, moved, over]);
  return { command, problem };
}
