import { z } from "zod";
import type { CommandState } from "../../domain/command.ts";

const told = z.looseObject({
  preview: z
    .array(
      z.object({
        pointId: z.string().max(129),
        value: z.union([z.number(), z.boolean(), z.string().max(4_096)]),
        quality: z.string().max(64),
        ageMs: z.number(),
      }),
    )
    .max(200),
});

/** A selection as a gateway tells it. One whose preview makes no sense shows nothing, and so equals no confirmation. */
export function withToldPreview(state: CommandState): CommandState {
  if (state.name !== "selected") return state;
  const parsed = told.safeParse(state);
  return { name: "selected", preview: parsed.success ? parsed.data.preview : [] };
}
