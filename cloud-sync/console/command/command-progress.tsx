import { useEffect, useState } from "preact/hooks";
import { type CommandView, type DeviceView, isOver } from "../api/answers.ts";
import { CenterProblem } from "../api/center-client.ts";
import { type Console, useConsole, useValue, useWording } from "../app/console-context.ts";
import { ProblemNote } from "../panels/problem-note.tsx";
import { adviceText, STEPS, type Step, stateText, stepOf } from "../texts/command-texts.ts";
import { pointText } from "../texts/device-texts.ts";
import type { Wording } from "../texts/wording.ts";
import { argumentsText } from "./argument-values.ts";
import { Resolution } from "./resolve-form.tsx";

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
  return (
    <>
      {command !== undefined && <Standing command={command} view={view} onDone={onDone} />}
      {problem !== undefined && <ProblemNote problem={problem} />}
    </>
  );
}

function Standing({ command, view, onDone }: Omit<ProgressProps, "id"> & { readonly command: CommandView }) {
  const parts = useConsole();
  const wording = useWording();
  const { name } = command.state;
  const over = isOver(command);
  const advice = adviceText(wording.language, command.state);
  const cancel = (): void => void parts.client.cancel(command.id).catch(() => undefined);
  return (
    <div class={`progress ${over ? "over" : "under-way"} ${name}`}>
      <p class="ordered">
        <small>{wording.text("command.ordered")}</small> {orderText(command, view, wording)}
      </p>
      <Steps command={command} />
      {over && (
        <p class="result">
          <b>{stateText(wording.language, name)}</b> {resultText(command, view, wording)}
        </p>
      )}
      {command.state.preview !== undefined && <Selected command={command} view={view} />}
      {advice !== undefined && <p class="advice">{advice}</p>}
      {command.state.detail && <p class="detail">{command.state.detail}</p>}
      <Resolution command={command} view={view} />
      {over && (
        <button type="button" class="primary" onClick={onDone}>
          {wording.text("command.again")}
        </button>
      )}
      {CANCELLABLE.includes(name) && (
        <button type="button" class="quiet" onClick={cancel}>
          {wording.text("command.cancel")}
        </button>
      )}
    </div>
  );
}

/** What the gateway read on the bus when it selected, before anything moves. */
function Selected({ command, view }: { readonly command: CommandView; readonly view: DeviceView }) {
  const wording = useWording();
  return (
    <dl class="selected">
      {command.state.preview?.map(({ pointId, value }) => {
        const name = pointId.split("/")[1] ?? pointId;
        const unit = view.points.find((point) => point.name === name)?.unit ?? null;
        return (
          <div key={pointId}>
            <dt>{pointText(wording.language, name)}</dt>
            <dd>{wording.value(value, unit)}</dd>
          </div>
        );
      })}
    </dl>
  );
}

function Steps({ command }: { readonly command: CommandView }) {
  const current = STEPS.indexOf(stepOf(command.state.name));
  return (
    <ol class="steps">
      {STEPS.map((step, index) => (
        <StepMark key={step} command={command} step={step} distance={index - current} />
      ))}
    </ol>
  );
}

/** `distance`: steps from where the command stands; 0 is now. */
function StepMark(props: { readonly command: CommandView; readonly step: Step; readonly distance: number }) {
  const { command, step, distance } = props;
  const wording = useWording();
  const reached = command.history.find(({ state }) => stepOf(state) === step);
  return (
    <li class={standingOf(command, distance, reached?.at)} aria-current={distance === 0 ? "step" : undefined}>
      <b>{stateText(wording.language, distance === 0 ? command.state.name : step)}</b>
      <time>{reached === undefined ? "" : wording.clock(reached.at)}</time>
    </li>
  );
}

function standingOf(command: CommandView, distance: number, reachedAt: number | undefined): string {
  if (distance > 0) return "ahead";
  if (distance < 0) return reachedAt === undefined ? "skipped" : "done";
  return isOver(command) ? "end" : "now";
}

/** What was ordered, in words: `Begin emergency route: Route 3`. */
function orderText(command: CommandView, view: DeviceView, wording: Wording): string {
  const name = nameOf(command.pointId);
  const point = view.points.find((each) => each.name === name);
  const what = pointText(wording.language, name);
  if (point?.type === "action" && command.args.length === 0) return what;
  const value =
    command.args.length > 0
      ? argumentsText(command, wording)
      : wording.value(command.value, point?.unit ?? null);
  return wording.text("command.ordered-to", { what, value });
}

const nameOf = (pointId: string): string => pointId.split("/")[1] ?? pointId;

/** What was read back, in words: empty when nothing was. */
export function resultText(
  command: CommandView,
  view: Pick<DeviceView, "points"> | undefined,
  wording: Wording,
): string {
  const { evidence } = command.state;
  if (evidence === undefined || evidence.readBacks.length === 0) return "";
  // What proves an action has another unit than the action, which has none.
  const proof = nameOf(evidence.readBacks[0]?.pointId ?? "");
  const unit = view?.points.find((point) => point.name === proof)?.unit ?? null;
  const took = wording.text("command.took", { n: wording.number(evidence.took / 1_000) });
  const [only, ...more] = evidence.readBacks;
  if (more.length === 0 && only !== undefined)
    return `${wording.text("command.proof", { value: wording.value(only.value, unit) })} ${took}`;
  const agree = evidence.readBacks.filter(({ agrees }) => agrees).length;
  const value = wording.value(evidence.target, unit);
  return `${wording.text("command.proofs", { agree, n: evidence.readBacks.length, value })} ${took}`;
}

interface FollowedCommand {
  readonly command: CommandView | undefined;
  readonly problem: CenterProblem | undefined;
}

async function readCommand(parts: Console, id: string): Promise<FollowedCommand> {
  try {
    return { command: await parts.client.command(id), problem: undefined };
  } catch (cause) {
    if (cause instanceof CenterProblem) return { command: undefined, problem: cause };
    throw cause;
  }
}

function useCommand(id: string): FollowedCommand {
  const parts = useConsole();
  const moved = useValue(parts.commandsMoved);
  const [command, setCommand] = useState<CommandView | undefined>(undefined);
  const [problem, setProblem] = useState<CenterProblem | undefined>(undefined);
  const over = command !== undefined && isOver(command) && command.state.name !== "outcome-unknown";
  useEffect(() => {
    if (over) return;
    let current = true;
    const ask = async (): Promise<void> => {
      const read = await readCommand(parts, id);
      if (!current) return;
      setCommand((before) => read.command ?? before);
      setProblem(read.problem);
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
