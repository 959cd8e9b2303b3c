import ts from "typescript";
import type { ProjectFile } from "./project-file.ts";

/** A piece of syntax with the line it starts on, counted from 1. */
export interface Spot<Node extends ts.Node = ts.Node> {
  readonly node: Node;
  readonly line: number;
}

/** Every node of a file for which `wanted` holds, without types: comments and strings are never mistaken for code. */
export function findSyntax<Node extends ts.Node>(
  file: ProjectFile,
  wanted: (node: ts.Node) => node is Node,
): readonly Spot<Node>[] {
  const source = parse(file);
  const spots: Spot<Node>[] = [];
  const visit = (node: ts.Node): void => {
    if (wanted(node)) {
      spots.push({ node, line: source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1 });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return spots;
}

/** What a file imports or re-exports, statically or with `import("…")`. */
export function findImports(file: ProjectFile): readonly { readonly path: string; readonly line: number }[] {
  const imports = findSyntax(file, (node): node is ts.StringLiteral => {
    if (!ts.isStringLiteral(node)) return false;
    const parent = node.parent;
    if (ts.isImportDeclaration(parent) || ts.isExportDeclaration(parent)) return true;
    return ts.isCallExpression(parent) && parent.expression.kind === ts.SyntaxKind.ImportKeyword;
  });
  return imports.map(({ node, line }) => ({ path: node.text, line }));
}

const parsed = new WeakMap<ProjectFile, ts.SourceFile>();

function parse(file: ProjectFile): ts.SourceFile {
  const known = parsed.get(file);
  if (known !== undefined) return known;
  const source = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true);
  parsed.set(file, source);
  return source;
}
