import { useState } from "preact/hooks";
import type { DeviceView, PointValue, PointView } from "../api/answers.ts";
import { CenterProblem } from "../api/center-client.ts";
import { type LoadedCity, useConsole, useValue, useWording } from "../app/console-context.ts";
import { pointText } from "../texts/device-texts.ts";
import { CommandPreview } from "./command-preview.tsx";
import { CommandProgress } from "./command-progress.tsx";
import { ProblemNote } from "./problem-note.tsx";
import { SendButton } from "./send-button.tsx";
import { Segments } from "./switches.tsx";

interface CommandProps {
  readonly city: LoadedCity;
  readonly view: DeviceView;
}

const PRESETS = [0, 25, 50, 75, 100];

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
  const send = async (): Promise<void> => {
    if (value === undefined) return;
    setProblem(undefined);
    try {
      const order = { gatewayId: view.gateway, pointId: `${view.id}/${point.name}`, value };
      const command = await parts.client.order(order);
      parts.commandsMoved.set(parts.commandsMoved.value + 1);
      onGiven(command.id);
    } catch (cause) {
      if (!(cause instanceof CenterProblem)) throw cause;
      setProblem(cause);
    }
  };
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
        onSend={send}
      />
      {problem !== undefined && <ProblemNote problem={problem} />}
    </form>
  );
}

/** The set-point that people mean, not how a lamp starts after a power cut. */
function usualPoint(points: readonly PointView[]): PointView | undefined {
  return points.find(({ name }) => name === "dim-level" || name === "level") ?? points[0];
}

function ValueChoice(props: {
  readonly point: PointView;
  readonly value: PointValue | undefined;
  readonly onChoose: (value: PointValue) => void;
}) {
  const { point, value, onChoose } = props;
  const wording = useWording();
  if (point.type !== "number")
    return (
      <Segments
        label={wording.text("command.value")}
        choices={[
          { key: "on", text: wording.text("command.on") },
          { key: "off", text: wording.text("command.off") },
        ]}
        chosen={value === true ? "on" : value === false ? "off" : "none"}
        onChoose={(key) => onChoose(key === "on")}
      />
    );
  const { min, max } = point.range ?? { min: 0, max: 100 };
  const shown = typeof value === "number" ? value : min;
  const choose = (text: string): void => {
    const number = Number(text);
    if (text !== "" && Number.isFinite(number)) onChoose(Math.min(max, Math.max(min, number)));
  };
  return (
    <div class="number-choice">
      <label>
        {wording.text("command.value")}
        <input
          type="range"
          min={min}
          max={max}
          value={shown}
          onInput={(event) => choose(event.currentTarget.value)}
        />
      </label>
      <span class="exact">
        <input
          type="number"
          aria-label={wording.text("command.value")}
          min={min}
          max={max}
          value={value === undefined ? "" : shown}
          onInput={(event) => choose(event.currentTarget.value)}
        />
        {point.unit}
      </span>
      {point.unit === "%" && (
        <Segments
          label={wording.text("command.value")}
          choices={PRESETS.map((preset) => ({ key: String(preset), text: String(preset) }))}
          chosen={String(value)}
          onChoose={choose}
        />
      )}
    </div>
  );
}
