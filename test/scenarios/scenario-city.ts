import pg from "pg";
import type { Test } from "tap";
import { type City, startCity } from "../../city/city.ts";
import { DIJON, planCity } from "../../city/city-plan.ts";
import type { CityOptions } from "../../city/programs.ts";
import { systemClock } from "../../domain/system-clock.ts";
import { Millis, Seconds, since } from "../../domain/time.ts";
import { LocalApiClient } from "../../gateway/local-api/client.ts";
import { openTestDatabase } from "../cloud-sync/postgres-for-tests.ts";

export interface ScenarioCity {
  readonly city: City;
  readonly database: pg.Pool;
  readonly folder: string;
}

/** One in Dijon, one in each of the two other gateway programs. */
const CABINETS = 3;
/** A lamp of Dijon by its number from 1. */
export const lampId = (number: number): string => `dijon-c0001-l${String(number).padStart(2, "0")}`;

/** The real programs in processes of their own, on a database of this test. */
export async function openScenarioCity(t: Test, changes: Partial<CityOptions> = {}): Promise<ScenarioCity> {
  const folder = `${t.testdir()}/nerve`;
  const connectionString = await openTestDatabase(t);
  process.env["DATABASE_URL"] = connectionString;
  const database = new pg.Pool({ connectionString, max: 2 });
  database.on("error", () => undefined);
  const city = await startCity({
    folder,
    port: 0,
    plan: planCity(CABINETS, "none"),
    fresh: "keep",
    lampFailsEverySec: null,
    sky: null,
    clock: systemClock,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    ...changes,
  });
  t.teardown(async () => {
    await city[Symbol.asyncDispose]();
    await database.end();
  });
  return { city, database, folder };
}

export function localApi(city: City): LocalApiClient {
  const { signal } = new AbortController();
  return new LocalApiClient({
    socketPath: city.gateway(DIJON).socket,
    timeout: Seconds(10),
    clock: systemClock,
    signal,
  });
}

/** Asks again until the answer is not `undefined`. @throws after `within`, with what was waited for. */
export async function eventually<Found>(
  what: string,
  ask: () => Promise<Found | undefined>,
  within: Millis = Seconds(30),
): Promise<Found> {
  const start = systemClock.uptime();
  for (;;) {
    const found = await ask().catch(() => undefined);
    if (found !== undefined) return found;
    if (since(start, systemClock.uptime()) > within)
      throw new Error(`${what}: not within ${within / 1_000} s`);
    await systemClock.sleep(Millis(100), new AbortController().signal);
  }
}

export async function pause(duration: Millis): Promise<void> {
  await systemClock.sleep(duration, new AbortController().signal);
}
