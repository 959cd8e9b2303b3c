import ts from "typescript";
import { type Finding, findLines, isCode, isProduct, type ProjectFile } from "./project-file.ts";
import { findSyntax } from "./syntax.ts";

const DEBT = /(\/\/|^\s*\/?\*|^\s*#|--)\s.*\b(TODO|FIXME|XXX|HACK)\b/;

/** A debt that no issue names is a debt that nobody will pay. Guides may speak of the word itself. */
export function findDebtWithoutIssue(files: readonly ProjectFile[]): readonly Finding[] {
  return files
    .filter(({ path }) => !path.endsWith(".md"))
    .flatMap((file) =>
      findLines(file, DEBT)
        .filter(({ line }) => !/#\d+/.test(line))
        .map(({ at }) => ({
          at,
          says: "leaves work to later without an issue",
          remedy: "do it now, or open an issue and write its number here, like (#12)",
        })),
    );
}

/** Marks that switch a check off without a reason that anyone reviewed. */
const SWITCHED_OFF = new RegExp(
  `@ts-(${["ignore", "nocheck", "expect-error"].join("|")})|\\b(c8|v8|istanbul) ${"ignore"}\\b`,
);

export function findSwitchedOffChecks(files: readonly ProjectFile[]): readonly Finding[] {
  return files
    .filter(({ path }) => isCode(path))
    .flatMap((file) =>
      findLines(file, SWITCHED_OFF).map(({ at }) => ({
        at,
        says: "switches a check off",
        remedy: "mend what the check found, or change the rule for everyone",
      })),
    );
}

/**
 * Paths of one person's machine: home folders, and the project's own folder wherever it is checked out now.
 * @param root the project's folder on this machine
 */
export function machinePathCheck(root: string): (files: readonly ProjectFile[]) => readonly Finding[] {
  const own = root.split("/").length > 2 ? [root.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")] : [];
  const homes = ["home", "Users", "workspaces?", "work", "mnt", "media"].map((name) => `/${name}/[\\w.]`);
  const pattern = new RegExp(
    `(^|[\\s"'\`(=:])(${[...own, ...homes, "/opt/(?!nerve)\\w", "[A-Z]:\\\\\\\\?Users"].join("|")})`,
  );
  return (files) =>
    files.flatMap((file) =>
      findLines(file, pattern).map(({ at }) => ({
        at,
        says: "names a path of one machine",
        remedy: "take it from import.meta.dirname, a setting, or t.testdir()",
      })),
    );
}

/** A simulator made from our drivers or profiles would agree with every error in them; a path in a text counts too. */
export function findLeaningSimulators(files: readonly ProjectFile[]): readonly Finding[] {
  const looked = files.filter(({ path }) => isCode(path) && path.startsWith("simulators/"));
  return looked.flatMap((file) =>
    findSyntax(file, ts.isStringLiteralLike)
      .filter(({ node }) => /\b(drivers|gateway|cloud-sync|profiles)\//.test(node.text))
      .map(({ line }) => ({
        at: `${file.path}:${line}`,
        says: "leans on the product",
        remedy: "write it from the device's manual; a test compares the two",
      })),
  );
}

/** A test run on its own hides all others, and one for later proves nothing today. */
export function findHiddenTests(files: readonly ProjectFile[]): readonly Finding[] {
  return files
    .filter(({ path }) => path.endsWith(".test.ts") && !isProduct(path))
    .flatMap((file) =>
      findLines(file, /\bt\.(only|todo)\(|\b(only|todo): true/).map(({ at }) => ({
        at,
        says: "hides tests",
        remedy: "finish the test, or take it out; what a machine lacks is a skip with its reason",
      })),
    );
}
