import { spawnSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { join, sep } from "node:path";

/** Every folder that holds code of ours. A new one is added here and in `.dependency-cruiser.cjs`. */
const FOLDERS = ["domain", "drivers", "gateway", "cloud-sync", "simulators", "city", "test", "bench"];

export interface LayerBreach {
  readonly rule: string;
  readonly from: string;
  readonly to: string;
  readonly remedy: string;
}

export interface LayerReport {
  readonly breaches: readonly LayerBreach[];
  /** Files of ours that were never looked at: with the wrong compiler that is all of them, and no breach. */
  readonly unseen: readonly string[];
  readonly seen: number;
  readonly rules: readonly string[];
}

/** Cruises the tree at `root` with the rules that lie there. */
export function cruiseLayers(root: string): LayerReport {
  const folders = FOLDERS.filter((folder) => existsSync(join(root, folder)));
  const answer = cruise(root, folders);
  const seen = new Set(answer.modules.map((module) => module.source));
  const files = folders.flatMap((folder) => globSync(`${folder}/**/*.{ts,tsx}`, { cwd: root }));
  const remedies = new Map(answer.summary.ruleSetUsed.forbidden.map((rule) => [rule.name, rule.comment]));
  return {
    breaches: answer.summary.violations.map(({ rule, from, to }) => ({
      rule: rule.name,
      from,
      to,
      remedy: remedies.get(rule.name) ?? "",
    })),
    unseen: files.map((file) => file.split(sep).join("/")).filter((file) => !seen.has(file)),
    seen: seen.size,
    rules: [...remedies.keys()],
  };
}

interface CruiseAnswer {
  readonly modules: readonly { readonly source: string }[];
  readonly summary: {
    readonly violations: readonly {
      readonly rule: { readonly name: string };
      readonly from: string;
      readonly to: string;
    }[];
    readonly ruleSetUsed: {
      readonly forbidden: readonly { readonly name: string; readonly comment?: string }[];
    };
  };
}

function cruise(root: string, folders: readonly string[]): CruiseAnswer {
  const bin = join(import.meta.dirname, "..", "node_modules", ".bin", "depcruise");
  const args = [bin, "--config", ".dependency-cruiser.cjs", "--output-type", "json", ...folders];
  const run = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
  });
  if (!run.stdout.startsWith("{")) throw new Error(`dependency-cruiser did not answer: ${run.stderr}`);
  return JSON.parse(run.stdout) as CruiseAnswer;
}
