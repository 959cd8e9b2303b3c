import { useState } from "preact/hooks";
import type { DeviceView, PointView, ReadView } from "../api/answers.ts";
import { CenterProblem } from "../api/center-client.ts";
import { type LoadedCity, useConsole } from "../app/console-context.ts";

/** What came of the last press; `at` is ms by the center's clock when it was asked. */
export type Reading =
  | { readonly name: "none" | "reading" }
  | { readonly name: "answered"; readonly answer: ReadView; readonly at: number }
  | { readonly name: "refused"; readonly problem: CenterProblem };

/** Asks the device itself, for a person who pressed. */
export function useRead(city: LoadedCity, view: DeviceView | undefined) {
  const { client } = useConsole();
  const [reading, setReading] = useState<Reading>({ name: "none" });
  const read = async (): Promise<void> => {
    if (view === undefined) return;
    setReading({ name: "reading" });
    const at = city.model.now();
    try {
      const answer = await client.read({ gatewayId: view.gateway, deviceId: view.id });
      setReading({ name: "answered", answer, at });
    } catch (cause) {
      if (!(cause instanceof CenterProblem)) throw cause;
      setReading({ name: "refused", problem: cause });
    }
  };
  return { reading, read: () => void read().catch(window.reportError) };
}

/** The device with what was read, wherever that is younger than what was told or confirmed. */
export function withReading(city: LoadedCity, view: DeviceView, reading: Reading): DeviceView {
  if (reading.name !== "answered") return view;
  const { answer, at } = reading;
  const found = new Map(answer.points.map(({ pointId, read }) => [pointId.split("/")[1], read]));
  const points = view.points.map((point): PointView => {
    const read = found.get(point.name);
    if (read === undefined || read === null || read.value === null) return point;
    const age = point.state === null ? Number.POSITIVE_INFINITY : ageOf(city, view, point, point.state.atMs);
    if (city.model.now() - at >= age) return point;
    return { ...point, state: { ...read, atMs: at, source: "read" } };
  });
  return { ...view, points };
}

function ageOf(city: LoadedCity, view: DeviceView, { sweep }: PointView, atMs: number): number {
  return city.model.pointAge(view.gateway, { atMs, sweep });
}
