import type { GatewayLink, LevelsMessage } from "../api/answers.ts";
import { CenterProblem } from "../api/center-client.ts";
import type { StreamEvent } from "../api/sse-reader.ts";
import { CityModel } from "../city/city-model.ts";
import { type Contour, type ContourFile, readContours } from "../city/contours.ts";
import { PlaceTable } from "../city/place-table.ts";
import { PlaceSearch } from "../city/search.ts";
import type { Console } from "./console-context.ts";

const PAUSES_MS = [500, 1_000, 2_000, 4_000, 8_000];

/**
 * Reads the city and follows it until `signal` aborts: stream first, then the whole state, so that nothing falls
 * between. Whatever breaks, it begins anew after a pause.
 */
export async function followCenter(parts: Console, contoursUrl: string, signal: AbortSignal): Promise<void> {
  const file = await readContourFile(contoursUrl);
  const contours = readContours(file);
  let failures = 0;
  while (!signal.aborted) {
    try {
      await followOnce(parts, { contours, attribution: file.attribution }, signal, () => {
        failures = 0;
      });
    } catch (cause) {
      if (signal.aborted) return;
      if (cause instanceof CenterProblem && cause.status === 401) return parts.center.set("refused");
      if (!(cause instanceof CenterProblem)) window.reportError(cause);
    }
    parts.center.set("lost");
    const pause = PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)] ?? 0;
    failures += 1;
    await new Promise((resolve) => window.setTimeout(resolve, pause));
  }
}

async function readContourFile(url: string): Promise<ContourFile> {
  const response = await fetch(url);
  return (await response.json()) as ContourFile;
}

async function followOnce(
  parts: Console,
  ground: { readonly contours: readonly Contour[]; readonly attribution: string },
  signal: AbortSignal,
  onLive: () => void,
): Promise<void> {
  const turn = new AbortController();
  const either = AbortSignal.any([signal, turn.signal]);
  let ready = false;
  const early: StreamEvent[] = [];
  const take = (event: StreamEvent): void => {
    if (!ready) early.push(event);
    // The columns changed their meaning: everything is read anew.
    else if (takeEvent(parts, event) === "other-places") turn.abort();
  };
  const stream = parts.client.follow("", take, either);
  stream.catch(() => undefined);
  const read = readCity(parts, ground);
  // Whichever fails first ends the turn.
  await Promise.race([read, stream.then(() => read)]);
  await read;
  ready = true;
  for (const event of early) if (takeEvent(parts, event) === "other-places") turn.abort();
  parts.center.set("live");
  onLive();
  await stream.catch((cause: unknown) => {
    if (!turn.signal.aborted) throw cause;
  });
}

async function readCity(
  parts: Console,
  { contours, attribution }: { readonly contours: readonly Contour[]; readonly attribution: string },
): Promise<void> {
  const [places, levels] = await Promise.all([parts.client.places(), parts.client.levels()]);
  if (places.tag !== levels.tag) throw new CenterProblem(0, "changing", "the catalogues change right now");
  const held = parts.city.value;
  if (held?.model.table.answer.tag === places.tag) return held.model.takeAll(levels);
  const table = new PlaceTable(places, contours);
  const model = new CityModel(table);
  model.takeAll(levels);
  parts.city.set({ model, search: new PlaceSearch(table, contours), contours, attribution });
}

function takeEvent(parts: Console, { event, data }: StreamEvent): "taken" | "other-places" {
  const model = parts.city.value?.model;
  if (model === undefined) return "taken";
  model.heard();
  const body = JSON.parse(data) as { readonly tag?: string; readonly nowMs?: number };
  if (body.tag !== undefined && body.tag !== model.table.answer.tag) return "other-places";
  if (event === "levels") model.takeSome(body as LevelsMessage);
  if (event === "gateways") model.takeLinks((body as { gateways: readonly GatewayLink[] }).gateways);
  if (event === "commands") parts.commandsMoved.set(parts.commandsMoved.value + 1);
  return "taken";
}
