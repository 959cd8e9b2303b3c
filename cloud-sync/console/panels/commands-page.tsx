import { type CommandView, isOver } from "../api/answers.ts";
import { useConsole, useValue, useWording } from "../app/console-context.ts";
import { argumentsText } from "../command/argument-values.ts";
import { resultText } from "../command/command-progress.tsx";
import { Resolution } from "../command/resolve-form.tsx";
import { adviceText, stateText } from "../texts/command-texts.ts";
import { pointText } from "../texts/device-texts.ts";
import { useCommands } from "./use-device.ts";

/** The newest commands of all gateways, each with what became of it. */
export function CommandsPage() {
  const wording = useWording();
  const commands = useCommands();
  return (
    <section class="page" aria-labelledby="page-title">
      <h1 id="page-title">{wording.text("commands.title")}</h1>
      {commands?.length === 0 && <p class="notice">{wording.text("commands.empty")}</p>}
      {commands !== undefined && commands.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">{wording.text("commands.time")}</th>
              <th scope="col">{wording.text("commands.device")}</th>
              <th scope="col">{wording.text("command.point")}</th>
              <th scope="col" class="number">
                {wording.text("command.value")}
              </th>
              <th scope="col">{wording.text("commands.state")}</th>
              <th scope="col">{wording.text("commands.result")}</th>
              <th scope="col">{wording.text("commands.by")}</th>
              <th scope="col">{wording.text("commands.class")}</th>
            </tr>
          </thead>
          <tbody>
            {commands.map((command) => (
              <CommandRow key={command.id} command={command} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function CommandRow({ command }: { readonly command: CommandView }) {
  const parts = useConsole();
  const wording = useWording();
  const table = useValue(parts.city)?.model.table;
  const [device = "", point = ""] = command.pointId.split("/");
  const key = `${command.gatewayId}/${device}`;
  const place = table?.find(key);
  const standing = isOver(command) ? command.state.name : "under-way";
  return (
    <tr>
      <td class="time">{wording.dayAndClock(command.createdAtMs)}</td>
      <td>
        <button type="button" class="plain" onClick={() => parts.device.set(key)}>
          {place === undefined ? device : table?.name(place)}
        </button>
        <small>{command.gatewayId}</small>
      </td>
      <td>{pointText(wording.language, point)}</td>
      <td class={command.args.length > 0 ? undefined : "number"}>
        {command.args.length > 0 ? argumentsText(command, wording) : wording.value(command.value, null)}
      </td>
      <td>
        <span class={`state ${standing}`}>
          <i aria-hidden="true" />
          {stateText(wording.language, command.state.name)}
        </span>
      </td>
      <td class="result">
        {command.resolution === null &&
          (adviceText(wording.language, command.state) ?? resultText(command, undefined, wording))}
        <Resolution command={command} view={undefined} />
      </td>
      <td>{command.issuedBy}</td>
      <td>{command.commandClass ?? "–"}</td>
    </tr>
  );
}
