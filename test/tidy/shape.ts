import ts from "typescript";
import { type Finding, isCode, isProduct, type ProjectFile } from "./project-file.ts";
import { findImports, findSyntax } from "./syntax.ts";

const MAX_LINES = { product: 300, test: 400 };
const MAX_FILES = 20;
const MAX_UP = { product: 2, test: 3 };
/** Names that say nothing of what is inside, and so collect everything (STYLE 4). */
const NAMELESS = /^(types?|constants?|index)$|(^|-)(utils?|helpers?|common|misc)(-|$)/;

export function findLongFiles(files: readonly ProjectFile[]): readonly Finding[] {
  return files
    .filter(({ path }) => isCode(path))
    .flatMap(({ path, text }): readonly Finding[] => {
      const lines = text.split("\n").length - 1;
      const most = MAX_LINES[isProduct(path) ? "product" : "test"];
      if (lines <= most) return [];
      return [
        {
          at: path,
          says: `has ${lines} lines, at most ${most}`,
          remedy: "split it by what changes together",
        },
      ];
    });
}

export function findFullFolders(files: readonly ProjectFile[]): readonly Finding[] {
  const counts = new Map<string, number>();
  for (const { path } of files.filter(({ path }) => isCode(path) && isProduct(path))) {
    const folder = path.slice(0, path.lastIndexOf("/"));
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return [...counts]
    .filter(([, count]) => count > MAX_FILES)
    .map(([folder, count]) => ({
      at: folder,
      says: `holds ${count} files, at most ${MAX_FILES}`,
      remedy: "give the files that belong together a folder",
    }));
}

export function findDeepImports(files: readonly ProjectFile[]): readonly Finding[] {
  return files
    .filter(({ path }) => isCode(path))
    .flatMap((file) => {
      const most = MAX_UP[isProduct(file.path) ? "product" : "test"];
      return findImports(file)
        .filter(({ path }) => foldersUp(path) > (isVocabulary(path) ? most + 1 : most))
        .map(({ path, line }) => ({
          at: `${file.path}:${line}`,
          says: `imports ${path}, more than ${most} folders up`,
          remedy: "move one of the two nearer to the other, or hand it in from above",
        }));
    });
}

function foldersUp(path: string): number {
  return path.match(/\.\.\//g)?.length ?? 0;
}

/** A folder in a part's folder, like `drivers/serial/dialects/`, speaks the common words too. */
function isVocabulary(path: string): boolean {
  return /^(\.\.\/)+(domain\/|drivers\/[a-z-]+\.ts$)/.test(path);
}

export function findNamelessFiles(files: readonly ProjectFile[]): readonly Finding[] {
  return files
    .filter(({ path }) => isCode(path))
    .flatMap(({ path }): readonly Finding[] => {
      const parts = path.split("/").map((part) => part.replace(/(\.test)?\.[a-z]+$/, ""));
      const bad = parts.find((part) => NAMELESS.test(part));
      if (bad === undefined) return [];
      return [
        {
          at: path,
          says: `is named ${bad}`,
          remedy: "name it for the one thing it exports, like backoff.ts",
        },
      ];
    });
}

/**
 * A bare `true` at a call says nothing (STYLE 10). A lone parameter may be the value itself, as in a codec,
 * and what is handed to a library's callback is the library's choice: both are left alone.
 */
export function findBooleanParameters(files: readonly ProjectFile[]): readonly Finding[] {
  return files
    .filter(({ path }) => isCode(path) && isProduct(path))
    .flatMap((file) =>
      findSyntax(file, ts.isParameter)
        .filter(({ node }) => isFlag(node))
        .map(({ node, line }) => ({
          at: `${file.path}:${line}`,
          says: `takes the boolean parameter ${node.name.getText()}`,
          remedy: 'name the choice: { mode: "exclusive" }, or make two functions',
        })),
    );
}

function isFlag(node: ts.ParameterDeclaration): boolean {
  const owner = node.parent;
  const declared =
    ts.isFunctionDeclaration(owner) || ts.isMethodDeclaration(owner) || ts.isConstructorDeclaration(owner);
  if (!declared || owner.parameters.length < 2) return false;
  const initial = node.initializer?.kind;
  const defaultsToBoolean = initial === ts.SyntaxKind.TrueKeyword || initial === ts.SyntaxKind.FalseKeyword;
  return node.type?.kind === ts.SyntaxKind.BooleanKeyword || defaultsToBoolean;
}
