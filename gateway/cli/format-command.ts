import { type CommandState, REJECTION_CAUSES } from "../../domain/command.ts";
import type { CommandAnswer } from "../local-api/client/answers.ts";
import { exitOf } from "./exit-codes.ts";
import { type Cell, formatTable, plain } from "./format-table.ts";
import { formatSpan, formatValue } from "./format-value.ts";
import type { Paint, Palette } from "./paint.ts";

/** One command with its evidence. */
export function formatOutcome(command: CommandAnswer, colours: Palette): string {
  const { id, pointId, state, issuedBy } = command;
  const head = `${paintOf(state, colours)(state.name)}: ${plain(`${pointId} to ${orderOf(command)}`)}`;
  const advice = state.name === "rejected" ? REJECTION_CAUSES[state.cause] : "";
  const lines = [detailOf(state), advice, ...readBacksOf(command), `by ${issuedBy}, command ${id}`];
  return [head, ...lines.filter((line) => line !== "").map((line) => `  ${plain(line)}`), ""].join("\n");
}

/** Newest first. */
export function formatCommands(commands: readonly CommandAnswer[], colours: Palette): string {
  const rows = commands.map((command): readonly Cell[] => [
    command.at.replace("T", " ").slice(0, 19),
    { text: command.state.name, paint: paintOf(command.state, colours) },
    command.pointId,
    orderOf(command),
    command.issuedBy,
    command.id,
    detailOf(command.state),
  ]);
  return formatTable(["TIME (UTC)", "STATE", "POINT", "VALUE", "BY", "COMMAND", "DETAIL"], rows);
}

/** What was asked for, as `nerve write` takes it. */
function orderOf({ value, unit, args }: CommandAnswer): string {
  if (args.length === 0) return formatValue(value, unit);
  return ["run", ...args.map((each) => `${each.name}=${formatValue(each.value, each.unit)}`)].join(" ");
}

function detailOf(state: CommandState): string {
  switch (state.name) {
    case "succeeded":
    case "failed":
    case "outcome-unknown":
      return `${state.evidence.detail} (${formatSpan(state.evidence.took)})`;
    case "rejected":
      return `${state.cause}: ${state.detail}`;
    case "expired":
      return `${state.detail}: nothing was touched`;
    case "cancelled":
    case "superseded":
      return `by ${state.by}`;
    default:
      return "not over yet";
  }
}

function readBacksOf({ state, unit }: CommandAnswer): readonly string[] {
  if (!("evidence" in state)) return [];
  return state.evidence.readBacks.map(({ pointId, before, value, agrees, fault }) => {
    const seen = fault === undefined ? formatValue(value, unit) : `no value (${fault})`;
    return `read back ${pointId}: ${seen}, before ${formatValue(before, unit)}, ${agrees ? "agrees" : "does not agree"}`;
  });
}

function paintOf(state: CommandState, colours: Palette): Paint {
  const exit = exitOf(state);
  if (exit === "ok") return colours.good;
  return exit === "fault" || exit === "outcome-unknown" ? colours.bad : colours.doubt;
}
