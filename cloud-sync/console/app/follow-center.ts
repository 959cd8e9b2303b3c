import type { GatewayLink, LevelsMessage } from "../api/answers.ts";
import { CenterProblem } from "../api/center-client.ts";
import type { StreamEvent } from "../api/sse-reader.ts";
import { CityModel } from "../city/city-model.ts";
import { type Contour, type ContourFile, readContours } from "../city/contours.ts";
import { PlaceTable } from "../city/place-table.ts";
import { PlaceSearch } from "../city/search.ts";
import type { Console } from "./console-context.ts";

interface Ground {
  readonly contours: readonly Contour[];
  readonly attribution: string;
}

const PAUSES_MS = [500, 1_000, 2_000, 4_000, 8_000];

/**
 * Reads the city and follows it until `signal` aborts: stream first, then the whole state, so that nothing falls
 * between. Whatever breaks, it begins anew after a pause.
 */
export async function followCenter(parts: Console, contoursUrl: string, signal: AbortSignal): Promise<void> {
  const file = await readContourFile(contoursUrl);
  const contours = readContours(file);
  const ground = { contours, attribution: file.attribution };
  let failures = 0;
  while (!signal.aborted) {
    const end = await followOnce(parts, ground, signal).catch((cause: unknown) => judge(cause, signal));
    if (end === "aborted") return;
    parts.center.set(end === "refused" ? "refused" : "lost");
    if (end === "refused") return;
    failures = end === "ended" ? 0 : failures + 1;
    const pause = PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)] ?? 0;
    await new Promise((resolve) => window.setTimeout(resolve, pause));
  }
}

/** `ended`: it was live until then. */
type TurnEnd = "ended" | "failed" | "refused" | "aborted";

function judge(cause: unknown, signal: AbortSignal): TurnEnd {
  if (signal.aborted) return "aborted";
  if (!(cause instanceof CenterProblem)) window.reportError(cause);
  return cause instanceof CenterProblem && cause.status === 401 ? "refused" : "failed";
}

async function readContourFile(url: string): Promise<ContourFile> {
  const response = await fetch(url);
  return (await response.json()) as ContourFile;
}

async function followOnce(parts: Console, ground: Ground, signal: AbortSignal): Promise<TurnEnd> {
  const turn = new AbortController();
  let ready: "not-yet" | "ready" = "not-yet";
  const early: StreamEvent[] = [];
  const take = (event: StreamEvent): void => {
    if (ready === "not-yet") early.push(event);
    // The columns changed their meaning: everything is read anew.
    else if (takeEvent(parts, event) === "other-places") turn.abort();
  };
  const stream = parts.client.follow("", take, AbortSignal.any([signal, turn.signal]));
  const read = readCity(parts, ground);
  try {
    // Whichever fails first ends the turn.
    await Promise.race([read, stream.then(() => read)]);
  } catch (cause) {
    turn.abort();
    await Promise.allSettled([stream, read]);
    throw cause;
  }
  ready = "ready";
  readAlarms(parts);
  for (const event of early) take(event);
  parts.center.set("live");
  await stream.catch((cause: unknown) => {
    if (signal.aborted) throw cause;
  });
  return signal.aborted ? "aborted" : "ended";
}

async function readCity(parts: Console, { contours, attribution }: Ground): Promise<void> {
  const [places, levels] = await Promise.all([parts.client.places(), parts.client.levels()]);
  if (places.tag !== levels.tag) throw new CenterProblem(0, "changing", "the catalogues change right now");
  const held = parts.city.value;
  if (held?.model.table.answer.tag === places.tag) return held.model.takeAll(levels);
  const table = new PlaceTable(places, contours);
  const model = new CityModel(table);
  model.takeAll(levels);
  parts.city.set({ model, search: new PlaceSearch(table, contours), contours, attribution });
}

/** The page says when the center is lost; what was read stays until then. */
function readAlarms({ client, alarms }: Console): void {
  client.alarms().then(alarms.set.bind(alarms), () => undefined);
}

function takeEvent(parts: Console, { event, data }: StreamEvent): "taken" | "other-places" {
  const model = parts.city.value?.model;
  if (model === undefined) return "taken";
  model.heard();
  const body = JSON.parse(data) as { readonly tag?: string; readonly nowMs?: number };
  if (body.tag !== undefined && body.tag !== model.table.answer.tag) return "other-places";
  if (event === "levels") model.takeSome(body as LevelsMessage);
  if (event === "gateways") model.takeLinks((body as { gateways: readonly GatewayLink[] }).gateways);
  if (event === "alarms") readAlarms(parts);
  if (event === "commands") parts.commandsMoved.set(parts.commandsMoved.value + 1);
  return "taken";
}
