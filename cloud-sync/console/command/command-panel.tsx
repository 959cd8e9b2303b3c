import { useState } from "preact/hooks";
import type { DeviceView, PointValue, PointView, PreviewView } from "../api/answers.ts";
import { type CenterClient, CenterProblem } from "../api/center-client.ts";
import { type LoadedCity, useConsole, useValue, useWording } from "../app/console-context.ts";
import { ProblemNote } from "../panels/problem-note.tsx";
import { pointText } from "../texts/device-texts.ts";
import { CommandPreview } from "./command-preview.tsx";
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
  const points = view.points.filter(
    ({ commandClass, access, type }) => commandClass !== null && access !== "read" && type !== "text",
  );
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
  const [problem, setProblem] = useState<CenterProblem | undefined>(undefined);
  useValue(city.model.version);
  const point = points.find((each) => each.name === name) ?? points[0];
  if (point === undefined) return null;
  const link = city.model.gatewayLink(view.gateway);
  const pointId = `${view.id}/${point.name}`;
  const send = async (confirmed: string | null): Promise<void> => {
    if (value === undefined) return;
    const confirm = confirmed === null ? {} : { confirm: { preview: confirmed } };
    const order = { gatewayId: view.gateway, pointId, value, ...confirm };
    const command = await orProblem(parts.client.order(order), setProblem);
    if (command === undefined) return;
    parts.commandsMoved.set(parts.commandsMoved.value + 1);
    onGiven(command.id);
  };
  const select = () => orProblem(freshPreview(parts.client, view.gateway, pointId), setProblem);
  return (
    <form onSubmit={(event) => event.preventDefault()}>
      {points.length > 1 && (
        <label>
          {wording.text("command.point")}
          <select
            value={point.name}
            onChange={(event) => {
              setName(event.currentTarget.value);
              setValue(undefined);
            }}
          >
            {points.map((each) => (
              <option key={each.name} value={each.name}>
                {pointText(wording.language, each.name)}
              </option>
            ))}
          </select>
        </label>
      )}
      <ValueChoice point={point} value={value} onChoose={setValue} />
      {value !== undefined && <CommandPreview city={city} view={view} point={point} value={value} />}
      <SendButton
        key={point.name}
        point={point}
        link={link}
        ready={value === undefined ? "no" : "yes"}
        onSelect={select}
        onSend={send}
      />
      {problem !== undefined && <ProblemNote problem={problem} />}
    </form>
  );
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
