import { basename, extname } from "node:path";
import type { DeviceProfile } from "../device-profile.ts";
import { type LoadDriver, loadProfile } from "../load-profile.ts";
import { PROFILE_BYTES_MAX, readBounded } from "../profile-folders.ts";
import type { SiteProblem } from "../site-file-error.ts";
import { ProblemList } from "../source/problem-list.ts";
import { profileWarnings } from "./profile-warnings.ts";

/** A profile's file by itself: all that is wrong with it, and the traps it may walk into. */
export interface ReadProfile {
  /** `null`: it can not be used, and `problems` say why. */
  readonly loaded: DeviceProfile | null;
  readonly problems: readonly SiteProblem[];
  /** Only of one that can be used. */
  readonly warnings: readonly SiteProblem[];
}

/** Reads and checks one profile; nothing else is opened. */
export async function readProfile(file: string, loadDriver: LoadDriver): Promise<ReadProfile> {
  const problems = new ProblemList();
  const read = await readBounded(file, PROFILE_BYTES_MAX).catch((error: unknown) => {
    const reason = error instanceof Error && "code" in error ? ` (${error.code})` : "";
    const remedy = "check the path and who may read it";
    return { complaint: { found: `no readable file${reason}`, expected: "a profile", remedy } };
  });
  if ("complaint" in read) {
    problems.addProblem({ file, line: 1, column: 1, pointer: "", ...read.complaint });
    return { loaded: null, problems: problems.sorted(), warnings: [] };
  }
  const id = basename(file, extname(file));
  const loaded = await loadProfile({ file, id, text: read.text }, loadDriver, problems);
  if (loaded === undefined) return { loaded: null, problems: problems.sorted(), warnings: [] };
  const warnings = new ProblemList();
  for (const { path, complaint } of profileWarnings(loaded.profile))
    warnings.add(loaded.source, path, complaint);
  return { loaded, problems: [], warnings: warnings.sorted() };
}
