import { z } from "zod";
import type { ArgumentDefinition } from "../../../domain/point.ts";
import type { CommandReader } from "../../dispatch/command-ledger.ts";
import type { CommandRecord, CommandStep, Resolution } from "../../dispatch/command-record.ts";

const pointValue = z.union([z.number(), z.boolean(), z.string()]);

/** A command as operators see it. */
export const commandView = z.object({
  id: z.string(),
  gatewayId: z.string(),
  pointId: z.string(),
  value: pointValue,
  /** Of an action; empty for all else. */
  args: z.array(pointValue),
  /** Names and units of `args`, in their order, as the gateway tells them now; empty where it tells none. */
  argsTaken: z.array(z.object({ name: z.string(), unit: z.string() })),
  commandClass: z.enum(["K0", "K1", "K2", "K3"]).nullable(),
  origin: z.enum(["center", "local"]),
  issuedBy: z.string(),
  createdAtMs: z.number(),
  validUntilMs: z.number().nullable(),
  state: z.looseObject({ name: z.string() }),
  resolution: z
    .object({
      by: z.string(),
      atMs: z.number(),
      note: z.string(),
      /** How point and read-back stood then; null: resolved before evidence was kept. */
      evidence: z
        .object({
          outcome: z.enum(["read", "not-answered", "offline", "unsupported", "busy"]),
          points: z.array(
            z.object({
              pointId: z.string(),
              value: pointValue.nullable(),
              quality: z.string(),
              source: z.enum(["read", "told"]),
              ageMs: z.number().nullable(),
            }),
          ),
        })
        .nullable(),
    })
    .nullable(),
  history: z.array(
    z.object({
      state: z.string(),
      at: z.number(),
      detail: z.looseObject({}),
      recordId: z.string().nullable(),
    }),
  ),
});
export type CommandView = z.infer<typeof commandView>;

/** The commands with their histories, in their order. */
export async function viewCommands(
  reader: CommandReader,
  commands: readonly CommandRecord[],
): Promise<readonly CommandView[]> {
  const histories = await reader.histories(commands.map((command) => command.id));
  const withArguments = commands.filter(({ args }) => args.length > 0).map(({ id }) => id);
  const taken = withArguments.length === 0 ? undefined : await reader.actionArguments(withArguments);
  return commands.map((command) =>
    viewOf(command, { history: histories.get(command.id) ?? [], taken: taken?.get(command.id) ?? [] }),
  );
}

export async function viewCommand(reader: CommandReader, command: CommandRecord): Promise<CommandView> {
  const [view] = await viewCommands(reader, [command]);
  if (view === undefined) throw new Error(`view command ${command.id}`);
  return view;
}

function evidenceOf({ evidence }: Resolution) {
  return evidence === null ? null : { ...evidence, points: [...evidence.points] };
}

function viewOf(
  command: CommandRecord,
  {
    history,
    taken,
  }: { readonly history: readonly CommandStep[]; readonly taken: readonly ArgumentDefinition[] },
): CommandView {
  const { ttl, resolution } = command;
  const from = command.authorizedAt ?? command.createdAt;
  return {
    id: command.id,
    gatewayId: command.gatewayId,
    pointId: command.pointId,
    value: command.value,
    args: [...command.args],
    argsTaken: taken.map(({ name, unit }) => ({ name, unit })),
    commandClass: command.commandClass,
    origin: command.origin,
    issuedBy: command.issuedBy,
    createdAtMs: command.createdAt,
    validUntilMs: ttl === null ? null : from + ttl,
    state: command.state,
    resolution:
      resolution === null
        ? null
        : { by: resolution.by, atMs: resolution.at, note: resolution.note, evidence: evidenceOf(resolution) },
    history: history.map(({ state, at, recordId }) => {
      const { name, ...detail } = state;
      return { state: name, at, detail, recordId };
    }),
  };
}
