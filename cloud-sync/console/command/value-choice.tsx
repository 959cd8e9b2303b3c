import type { PointValue, PointView } from "../api/answers.ts";
import { useWording } from "../app/console-context.ts";
import { Segments } from "../panels/switches.tsx";

interface ChoiceProps {
  readonly point: PointView;
  /** What proves an order shows this now; undefined: nothing does, or it is not known. */
  readonly actual: PointValue | null | undefined;
  readonly deviceClass: string;
  /** Undefined: nothing is chosen yet. */
  readonly value: PointValue | undefined;
  readonly onChoose: (value: PointValue) => void;
}

const PRESETS = [0, 25, 50, 75, 100];

/** A slider with the exact number for what has a range, two buttons for a switch, one for an action, a list for names. */
export function ValueChoice(props: ChoiceProps) {
  switch (props.point.type) {
    case "number":
      return <NumberChoice {...props} />;
    case "text":
      return <TextChoice {...props} />;
    default:
      return <SwitchChoice {...props} />;
  }
}

function TextChoice({ point, value, onChoose }: ChoiceProps) {
  const wording = useWording();
  const written = typeof value === "string" ? value : "";
  if (point.oneOf === undefined)
    return (
      <label>
        {wording.text("command.value")}
        <input
          type="text"
          maxLength={4_096}
          value={written}
          onInput={(event) => onChoose(event.currentTarget.value)}
        />
      </label>
    );
  return (
    <label>
      {wording.text("command.value")}
      <select value={written} onChange={(event) => onChoose(event.currentTarget.value)}>
        <option value="" disabled>
          {wording.text("command.choose")}
        </option>
        {point.oneOf.map((choice) => (
          <option key={choice} value={choice}>
            {wording.value(choice, null)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Light goes on and off; anything else is in force or not. */
const LIGHTING = ["streetlight", "segment-cabinet"];

function SwitchChoice({ point, deviceClass, value, onChoose }: ChoiceProps) {
  const wording = useWording();
  const run = { key: "on", text: wording.text("command.run") };
  const isLight = LIGHTING.includes(deviceClass);
  const switches = [
    { key: "on", text: wording.text(isLight ? "command.on" : "command.activate") },
    { key: "off", text: wording.text(isLight ? "command.off" : "command.deactivate") },
  ];
  return (
    <Segments
      label={wording.text("command.value")}
      choices={point.type === "action" ? [run] : switches}
      chosen={value === true ? "on" : value === false ? "off" : "none"}
      onChoose={(key) => onChoose(key === "on")}
    />
  );
}

function NumberChoice({ point, actual, value, onChoose }: ChoiceProps) {
  const wording = useWording();
  const { min, max } = point.range ?? { min: 0, max: 100 };
  // Until somebody chooses, the slider stands where the device does, whatever was ordered before.
  const now = [actual, point.state?.value].find((each) => typeof each === "number") ?? min;
  const shown = typeof value === "number" ? value : now;
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
