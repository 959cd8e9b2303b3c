import { z } from "zod";
import type { CommandState } from "../../domain/command.ts";
import { CommandId, type PointId } from "../../domain/ids.ts";
import { after, type Clock, Millis, type Uptime } from "../../domain/time.ts";

/** What the broker asks of `control`; `gateway.ts` joins them. */
export interface LocalOrders {
  submitLocal(order: {
    readonly commandId: CommandId;
    readonly pointId: string;
    readonly value: number | boolean | string;
    readonly args: readonly (number | boolean | string)[];
    readonly issuedBy: string;
    readonly deadline: Uptime;
    readonly confirmation: "person" | "none";
  }): { readonly admitted: CommandState; readonly end: Promise<CommandState> };
}

const value = z.union([z.number(), z.boolean(), z.string().max(4_096)]);

/** Payload of a command topic: JSON of at most 8 KiB. */
const order = z.strictObject({
  /** UUIDv7: repeating it gives the same verdict again, never a second effect. */
  commandId: z.string(),
  value,
  /** Of an action, whose value is true; in the order of its definition. */
  args: z.array(value).max(16).default([]),
  /** From its receipt on; later nothing moves. */
  deadlineMs: z.number().int().min(1).max(60_000),
});
const PAYLOAD_MAX_BYTES = 8 * 1024;

export type ParsedOrder =
  | { readonly order: Parameters<LocalOrders["submitLocal"]>[0] }
  | { readonly fault: string };

/** What a client wants, or what is wrong with how it said so. */
export function parseOrder(
  payload: Buffer,
  context: { readonly pointId: PointId; readonly issuedBy: string; readonly clock: Clock },
): ParsedOrder {
  if (payload.length > PAYLOAD_MAX_BYTES)
    return { fault: `payload of ${payload.length} bytes, at most ${PAYLOAD_MAX_BYTES}` };
  let data: unknown;
  try {
    data = JSON.parse(payload.toString("utf8"));
  } catch {
    return {
      fault: 'payload is not JSON; expected {"commandId": "<uuid v7>", "value": 40, "deadlineMs": 5000}',
    };
  }
  const parsed = order.safeParse(data);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return { fault: `/${issue?.path.join("/") ?? ""}: ${issue?.message ?? "unreadable"}` };
  }
  const { value, args, deadlineMs } = parsed.data;
  try {
    const commandId = CommandId(parsed.data.commandId);
    const { pointId, issuedBy, clock } = context;
    return {
      order: {
        commandId,
        pointId,
        value,
        args,
        issuedBy,
        deadline: after(clock.uptime(), Millis(deadlineMs)),
        // A panel or a script may press by itself: what is hazardous wants a person.
        confirmation: "none",
      },
    };
  } catch (error) {
    return { fault: `/commandId: ${error instanceof Error ? error.message : "unreadable"}` };
  }
}
