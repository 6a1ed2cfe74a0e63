import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';

/** These carry whatever a service asks for: what they do by themselves is in the permissions of all services. */
const CARRIERS = new Set(['bus', 'contracts', 'nats-auth', 'rpc']);

export function sourceOf(path: string): ts.SourceFile {
  return ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
}

/**
 * The sources of libs that make requests in a service's name: those that declare what it imports from a lib, and what
 * they import themselves. A service that only wakes workspaces is not given the right to transfer files, though one lib
 * does both.
 */
export function libSourcesOf(files: ts.SourceFile[]): ts.SourceFile[] {
  const found = new Map<string, ts.SourceFile>();
  const waiting = [...files];
  for (let file = waiting.pop(); file; file = waiting.pop()) {
    for (const path of pathsImportedBy(file)) {
      if (!path.startsWith('libs/') || found.has(path)) continue;
      const source = sourceOf(path);
      found.set(path, source);
      waiting.push(source);
    }
  }
  return [...found.values()];
}

function pathsImportedBy(file: ts.SourceFile): string[] {
  return file.statements.filter(ts.isImportDeclaration).flatMap((statement) => {
    // A type asks nobody for anything.
    if (statement.importClause?.isTypeOnly) return [];
    const specifier = (statement.moduleSpecifier as ts.StringLiteral).text;
    if (specifier.startsWith('.')) return [besides(file.fileName, specifier)];
    const lib = /^#lib\/([\w-]+)/.exec(specifier)?.[1];
    if (lib === undefined || CARRIERS.has(lib)) return [];
    const bindings = statement.importClause?.namedBindings;
    if (!bindings || !ts.isNamedImports(bindings)) throw new Error(`${file.fileName}: which names of ${specifier}?`);
    const [, folder, part] = /^#lib\/([\w-]+)(?:\/([\w-]+))?$/.exec(specifier) ?? [];
    const index = sourceOf(join('libs', folder ?? '', 'src', part ?? '', 'index.ts'));
    return bindings.elements.map(({ name, propertyName }) => declaredIn(index, (propertyName ?? name).text));
  });
}

/** The path of the file that declares a name which `index` exports. */
function declaredIn(index: ts.SourceFile, name: string): string {
  if (declares(index, name)) return index.fileName;
  for (const { moduleSpecifier, exportClause } of index.statements.filter(ts.isExportDeclaration)) {
    if (!moduleSpecifier) continue;
    const path = besides(index.fileName, (moduleSpecifier as ts.StringLiteral).text);
    if (exportClause ? names(exportClause, name) : declares(sourceOf(path), name)) return path;
  }
  throw new Error(`${index.fileName}: who declares ${name}?`);
}

function declares(file: ts.SourceFile, name: string): boolean {
  return file.statements.some((statement) => {
    // What a file passes on of a package counts as its own; of another file of the lib that file is read.
    if (ts.isExportDeclaration(statement))
      return statement.exportClause && !isRelative(statement.moduleSpecifier) && names(statement.exportClause, name);
    if (ts.isVariableStatement(statement))
      return statement.declarationList.declarations.some((one) => one.name.getText() === name);
    return (statement as unknown as ts.DeclarationStatement).name?.getText() === name;
  });
}

function names(exported: ts.NamedExportBindings, name: string): boolean {
  return ts.isNamedExports(exported) && exported.elements.some((one) => one.name.text === name);
}

const isRelative = (specifier: ts.Expression | undefined) =>
  specifier !== undefined && (specifier as ts.StringLiteral).text.startsWith('.');

const besides = (path: string, specifier: string) => join(dirname(path), specifier.replace(/\.js$/, '.ts'));
