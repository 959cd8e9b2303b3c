import { isMap, isScalar, isSeq, parseDocument } from "yaml";
import type { Finding, ProjectFile } from "./project-file.ts";

/** Reviewers look every point up: document, revision, place (STYLE §3). */
export function findPointsWithoutSource(files: readonly ProjectFile[]): readonly Finding[] {
  return files.filter(({ path }) => /^profiles\/.*\.ya?ml$/.test(path)).flatMap(inProfile);
}

function inProfile({ path, text }: ProjectFile): readonly Finding[] {
  const points = parseDocument(text).get("points");
  if (!isSeq(points) || points.items.length === 0) {
    return [
      { at: path, says: "has no points", remedy: "describe the device's points, or remove the profile" },
    ];
  }
  return points.items.flatMap((point): readonly Finding[] => {
    if (!isMap(point))
      return [{ at: path, says: "has a point that is no mapping", remedy: "write name, type, unit …" }];
    const source = point.get("source");
    if (typeof source === "string" && source.trim().length >= 8) return [];
    const start = isScalar(point.items[0]?.key) ? (point.items[0].key.range?.[0] ?? 0) : 0;
    const line = text.slice(0, start).split("\n").length;
    return [
      {
        at: `${path}:${line}`,
        says: `point ${String(point.get("name"))} has no source`,
        remedy: "name document, revision and place, like: LC-10 Modbus map rev. 4, §6.2, table 3",
      },
    ];
  });
}

/** A driver without a test, a simulator and the conformance run is a claim. */
export function findUnprovenDrivers(files: readonly ProjectFile[]): readonly Finding[] {
  const registry = files.find(({ path }) => path === "drivers/registry.ts")?.text ?? "";
  const names = [...registry.matchAll(/import\("\.\/([a-z0-9-]+)\/\1-driver\.ts"\)/g)].flatMap(
    ([, name]) => name ?? [],
  );
  const folders = new Set(
    files.flatMap(({ path }) => /^drivers\/([^/]+)\/\1-driver\.ts$/.exec(path)?.[1] ?? []),
  );
  const unlisted = [...folders]
    .filter((folder) => !names.includes(folder))
    .map((folder) => ({
      at: `drivers/${folder}/${folder}-driver.ts`,
      says: "is in no registry",
      remedy: `add its line to drivers/registry.ts: ${folder}: () => import("./${folder}/${folder}-driver.ts")…`,
    }));
  return [...unlisted, ...names.flatMap((name) => provenBy(name, files))];
}

function provenBy(name: string, files: readonly ProjectFile[]): readonly Finding[] {
  const at = `drivers/${name}`;
  const tests = files.filter(({ path }) =>
    new RegExp(`^test/drivers/${name}(/.*|[a-z-]*)\\.test\\.ts$`).test(path),
  );
  const lacks = [
    tests.length > 0
      ? []
      : { says: "has no test", remedy: `write test/drivers/${name}/${name}-driver.test.ts` },
    tests.some(({ text }) => /\bconformance\w*\(/i.test(text))
      ? []
      : {
          says: "is not run through the conformance suite",
          remedy: `call conformance(…) in test/drivers/${name}/`,
        },
    files.some(({ path }) => path.startsWith(`simulators/${name}/`))
      ? []
      : { says: "has no simulator", remedy: `write one from the device's manual in simulators/${name}/` },
  ].flat();
  return lacks.map((lack) => ({ at, ...lack }));
}
