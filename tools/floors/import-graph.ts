/**
 * The import graph of a checkout's `src`: every file with what it imports and declares. Tests and test support
 * (`*.test.ts`, `testing/`) are left out.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import ts from 'typescript';

export interface SourceNode {
  /** From the root, with `/`. */
  readonly path: string;
  /** Paths of the files of `src` that it imports, each once; for types alone, too. */
  readonly imports: readonly string[];
  /** The constants at its top level whose names are in capitals, as `NAME = value`. */
  readonly constants: readonly string[];
}

/** @param root - a checkout's folder. */
export function readImportGraph(root: string): readonly SourceNode[] {
  const names = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
  const paths = names
    .map((name) => `src/${name.replaceAll('\\', '/')}`)
    .filter((path) => /\.tsx?$/.test(path) && !/\.test\.tsx?$|\/testing\//.test(path))
    .sort();
  const known = new Set(paths);
  return paths.map((path) => {
    const text = readFileSync(join(root, path), 'utf8');
    const imports = ts
      .preProcessFile(text, true, true)
      .importedFiles.map(({ fileName }) => posix.join(posix.dirname(path), fileName))
      .filter((imported) => known.has(imported) && imported !== path);
    const { statements } = ts.createSourceFile(path, text, ts.ScriptTarget.Latest);
    return {
      path,
      imports: [...new Set(imports)],
      constants: statements.flatMap((statement) => constantsOf(statement, text)),
    };
  });
}

function constantsOf(statement: ts.Statement, text: string): readonly string[] {
  if (!ts.isVariableStatement(statement)) return [];
  return statement.declarationList.declarations.flatMap(({ name, initializer }) =>
    ts.isIdentifier(name) && initializer !== undefined && /^[A-Z0-9_]+$/.test(name.text)
      ? [`${name.text} = ${text.slice(initializer.pos, initializer.end).trim()}`]
      : [],
  );
}
