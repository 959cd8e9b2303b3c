import { useState } from "preact/hooks";
import type { DeviceView, PointValue, PointView, PreviewView } from "../api/answers.ts";
import { type CenterClient, CenterProblem } from "../api/center-client.ts";
import { type LoadedCity, useConsole, useValue, useWording } from "../app/console-context.ts";
import { ProblemNote } from "../panels/problem-note.tsx";
import { pointText } from "../texts/device-texts.ts";
import { ArgumentFields } from "./argument-fields.tsx";
import { argumentValues, type WrittenArguments } from "./argument-values.ts";
import { type ChosenOrder, CommandPreview } from "./command-preview.tsx";
import { CommandProgress } from "./command-progress.tsx";
import { SendButton } from "./send-button.tsx";
import { ValueChoice } from "./value-choice.tsx";

interface CommandProps {
  readonly city: LoadedCity;
  readonly view: DeviceView;
}

/** Chooses a point and a value, shows what is now and what will be, sends, and follows the command to its proof. */
export function CommandPanel({ city, view }: CommandProps) {
  const wording = useWording();
  const [given, setGiven] = useState<string | undefined>(undefined);
  const points = view.points.filter(({ commandClass, access }) => commandClass !== null && access !== "read");
  if (points.length === 0) return null;
  return (
    <section class="command">
      <h2>{wording.text("command.title")}</h2>
      {given === undefined ? (
        <CommandForm city={city} view={view} points={points} onGiven={setGiven} />
      ) : (
        <CommandProgress id={given} view={view} onDone={() => setGiven(undefined)} />
      )}
    </section>
  );
}

interface FormProps extends CommandProps {
  readonly points: readonly PointView[];
  readonly onGiven: (id: string) => void;
}

function CommandForm({ city, view, points, onGiven }: FormProps) {
  const parts = useConsole();
  const wording = useWording();
  const [name, setName] = useState(usualPoint(points)?.name ?? "");
  const [value, setValue] = useState<PointValue | undefined>(undefined);
  const [written, setWritten] = useState<WrittenArguments>({});
  const [problem, setProblem] = useState<CenterProblem | undefined>(undefined);
  useValue(city.model.version);
  const point = points.find((each) => each.name === name) ?? points[0];
  if (point === undefined) return null;
  const { args = [] } = point;
  const given = argumentValues(args, written, wording);
  const order = orderOf(point, value, given);
  const pointId = `${view.id}/${point.name}`;
  const choose = (chosen: string): void => {
    setName(chosen);
    setValue(undefined);
    setWritten({});
    setProblem(undefined);
  };
  const send = async (confirmed: string | null): Promise<void> => {
    if (order === undefined) return;
    const confirm = confirmed === null ? {} : { confirm: { preview: confirmed } };
    const asked = { gatewayId: view.gateway, pointId, ...order, ...confirm };
    const command = await orProblem(parts.client.order(asked), setProblem);
    if (command === undefined) return;
    parts.commandsMoved.set(parts.commandsMoved.value + 1);
    onGiven(command.id);
  };
  const select = () => orProblem(freshPreview(parts.client, view.gateway, pointId), setProblem);
  return (
    <form onSubmit={(event) => event.preventDefault()}>
      {points.length > 1 && <PointChoice points={points} chosen={point.name} onChoose={choose} />}
      {args.length === 0 ? (
        <ValueChoice
          actual={view.points.find((each) => each.name === point.readBack)?.state?.value}
          point={point}
          deviceClass={view.class}
          value={value}
          onChoose={setValue}
        />
      ) : (
        <ArgumentFields args={args} written={written} onWrite={setWritten} />
      )}
      {order !== undefined && <CommandPreview city={city} view={view} point={point} order={order} />}
      <SendButton
        // What was selected for one order is not operated for another.
        key={`${point.name} ${JSON.stringify(order)}`}
        point={point}
        deviceClass={view.class}
        link={city.model.gatewayLink(view.gateway)}
        ready={order === undefined ? "no" : "yes"}
        onSelect={select}
        onSend={send}
      />
      {problem !== undefined && <ProblemNote problem={problem} />}
    </form>
  );
}

function PointChoice(props: {
  readonly points: readonly PointView[];
  readonly chosen: string;
  readonly onChoose: (name: string) => void;
}) {
  const wording = useWording();
  return (
    <label>
      {wording.text("command.point")}
      <select value={props.chosen} onChange={(event) => props.onChoose(event.currentTarget.value)}>
        {props.points.map(({ name }) => (
          <option key={name} value={name}>
            {pointText(wording.language, name)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** What is ordered as things are written; undefined: something is missing. An action with arguments is run with them. */
function orderOf(
  { args = [], type }: PointView,
  value: PointValue | undefined,
  given: readonly PointValue[] | undefined,
): ChosenOrder | undefined {
  if (type === "action" && args.length > 0)
    return given === undefined ? undefined : { value: true, args: given };
  return value === undefined || value === "" ? undefined : { value, args: [] };
}

/** PROTOCOL §8: the person confirms on a preview read by K0. Where it can not be read, the ages say what it rests on. */
async function freshPreview(client: CenterClient, gatewayId: string, pointId: string): Promise<PreviewView> {
  const told = await client.preview(gatewayId, pointId);
  const pointIds = told.points.map((point) => point.pointId);
  // A link that went meanwhile, or too many reads: the preview says what is known.
  await client.read({ gatewayId, pointIds }).catch(() => undefined);
  return client.preview(gatewayId, pointId);
}

/** Undefined: the center refused, and its words are told. */
async function orProblem<Answer>(
  asked: Promise<Answer>,
  tell: (problem: CenterProblem | undefined) => void,
): Promise<Answer | undefined> {
  tell(undefined);
  try {
    return await asked;
  } catch (cause) {
    if (!(cause instanceof CenterProblem)) throw cause;
    tell(cause);
    return undefined;
  }
}

/** The set-point that people mean, not how a lamp starts after a power cut. */
function usualPoint(points: readonly PointView[]): PointView | undefined {
  const set = points.find(({ name }) => name === "dim-level" || name === "level");
  return set ?? points.find(({ name }) => name.includes("contactor")) ?? points[0];
}
