import { z } from "zod";
import { QUALITIES } from "../quality.ts";
import { parseMessage } from "./parse-json.ts";

/**
 * K0 (PROTOCOL §8): the center asks how points stand on the bus now, and the gateway answers. It moves nothing, so it is
 * not signed and stands in no ledger; both sides put it in their audit. Only sent to a gateway whose HELLO announces
 * `read` among its commands.
 */
export const READ_POINTS_MAX = 200;
/** How long the center waits for the answer, and the gateway for its buses. */
export const READ_BUDGET_MAX_MS = 10_000;

const session = z.string().max(31);
/** 128 random bits of the center, hexadecimal: joins the answer to what was asked. */
const readId = z.string().regex(/^[0-9a-f]{32}$/);

/** Center → gateway, a line of the downlink. */
export const readFrame = z.looseObject({
  kind: z.literal("read"),
  session,
  readId,
  pointIds: z.array(z.string().max(129)).min(1).max(READ_POINTS_MAX),
  /** Who asks: `operator/anna`. */
  requester: z.string().max(200),
  /** Later than this after its arrival nobody waits for the answer. */
  budgetMs: z.number().int().min(1).max(READ_BUDGET_MAX_MS),
});
export type ReadFrame = z.infer<typeof readFrame>;

const readFinding = z.object({
  pointId: z.string().max(129),
  /** In the unit of the point; null exactly when the quality is bad. */
  value: z.union([z.number(), z.boolean(), z.string().max(4_096)]).nullable(),
  quality: z.enum(QUALITIES),
  /** As a reading has it, or why it was not read at all: `busy`, `not-readable`, `store-unavailable`. */
  cause: z.string().max(64),
});
/** One point as the bus showed it, or why it did not. */
export type ReadFinding = Readonly<z.infer<typeof readFinding>>;

const readReport = z.looseObject({ session, readId, points: z.array(readFinding).max(READ_POINTS_MAX) });
/** Gateway → center, `POST /sync/v1/read`. */
export type ReadReport = z.infer<typeof readReport>;

/** @throws {WireError} with the pointer of the first thing wrong. */
export function parseReadReport(data: unknown): ReadReport {
  return parseMessage("READ", readReport, data);
}
