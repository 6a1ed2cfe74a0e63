import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import * as contracts from '#lib/contracts';
import { libSourcesOf, sourceOf } from './imported-sources.js';

/** What the sources of one service do on the bus, named by subjects as permissions write them (`workspace.*.file.read`). */
export interface BusUses {
  calls: Set<string>;
  reads: Set<string>;
  emits: Set<string>;
  serves: Set<string>;
  publishes: Set<string>;
  subscribes: Set<string>;
}

type Contract = { subject: string; input?: unknown; isPublished?: boolean };

/** A contract's subject as permissions write it. */
export const pattern = (subject: string) => subject.replace(/\{\w+\}/g, '*');

/**
 * Reads what a service's sources, and those of the libs that they import, do with the contracts and with subjects of
 * their own. Read, not run: no test calls everything. What it does not know how to read it throws about.
 */
export function busUsesOf(service: string): BusUses {
  const uses: BusUses = {
    calls: new Set(),
    reads: new Set(),
    emits: new Set(),
    serves: new Set(),
    publishes: new Set(),
    subscribes: new Set(),
  };
  const own = sourcesOf(`apps/${service}/src`);
  const files = [...own, ...libSourcesOf(own)];
  const constants = subjectConstants([...files, ...sourcesOf('libs/contracts/src')]);
  for (const file of files) readFile(file, constants, uses);
  return uses;
}

function sourcesOf(folder: string): ts.SourceFile[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !/\.(spec|fixture)\.ts$|(^|\/)(testing|probes)\//.test(path))
    .map((path) => sourceOf(join(folder, path)));
}

/** Names of constants, and of functions of ids, that are subjects: `const DELIVER = '…'`, `(id) => \`live.${id}\``. */
function subjectConstants(files: ts.SourceFile[]): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer) {
      const value = ts.isArrowFunction(node.initializer) ? node.initializer.body : node.initializer;
      const subject = textOf(value);
      if (subject !== undefined) found.set(`${node.getSourceFile().fileName} ${node.name.text}`, subject);
      if (subject !== undefined && isExported(node)) found.set(node.name.text, subject);
    }
    ts.forEachChild(node, visit);
  };
  files.forEach(visit);
  return found;
}

function isExported(node: ts.VariableDeclaration): boolean {
  const statement = node.parent.parent;
  return ts.isVariableStatement(statement) && ts.getCombinedModifierFlags(node) === ts.ModifierFlags.Export;
}

function textOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node))
    return node.head.text + node.templateSpans.map(({ literal }) => `*${literal.text}`).join('');
  return undefined;
}

function readFile(file: ts.SourceFile, constants: Map<string, string>, uses: BusUses): void {
  const imported = contractsImportedBy(file);
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isTypeNode(node)) return;
    if (ts.isCallExpression(node)) readCall(node, file, constants, uses);
    const name = mentionedBy(node, imported);
    if (name !== undefined) readMention(node, name, uses);
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(file, visit);
}

/** By their name in this file, contracts under their own; `*` is the namespace of all. */
function contractsImportedBy(file: ts.SourceFile): Map<string, string> {
  const names = new Map<string, string>();
  for (const statement of file.statements) {
    if (!ts.isImportDeclaration(statement) || textOf(statement.moduleSpecifier) !== '#lib/contracts') continue;
    const bindings = statement.importClause?.namedBindings;
    if (bindings && ts.isNamespaceImport(bindings)) names.set(bindings.name.text, '*');
    if (bindings && ts.isNamedImports(bindings))
      for (const { name, propertyName } of bindings.elements) names.set(name.text, (propertyName ?? name).text);
  }
  return names;
}

/** The contract that this stands for as a whole: its schema (`createAgent.input`) alone sends nothing. */
function mentionedBy(node: ts.Node, imported: Map<string, string>): string | undefined {
  const isPart = ts.isPropertyAccessExpression(node.parent) && node.parent.expression === node;
  if (isPart && node.parent.name.text !== 'subject') return undefined;
  if (ts.isPropertyAccessExpression(node))
    return imported.get(node.expression.getText()) === '*' ? node.name.text : undefined;
  if (!ts.isIdentifier(node) || isName(node)) return undefined;
  return imported.get(node.text);
}

/** A property or method that is only called like a contract. */
function isName(node: ts.Identifier): boolean {
  const { parent } = node;
  return (
    (ts.isPropertyAccessExpression(parent) || ts.isPropertyAssignment(parent) || ts.isMethodDeclaration(parent)) &&
    parent.name === node
  );
}

/** Calls whose subject is not a contract: hints, and events received as they pass by. */
function readCall(call: ts.CallExpression, file: ts.SourceFile, constants: Map<string, string>, uses: BusUses): void {
  const callee = call.expression.getText();
  const [first] = call.arguments;
  const into = /\bbus\??\.signal$|\b(connection|nats)\.(publish|request)$/.test(callee)
    ? uses.publishes
    : /\b(connection|nats)\.subscribe$/.test(callee)
      ? uses.subscribes
      : undefined;
  if (!into || !first) return;
  const named = ts.isCallExpression(first) ? first.expression.getText() : first.getText();
  const subject = textOf(first) ?? constants.get(`${file.fileName} ${named}`) ?? constants.get(named);
  if (subject === undefined) throw new Error(`${file.fileName}: what subject is ${first.getText()}?`);
  into.add(subject);
}

function readMention(node: ts.Node, name: string, uses: BusUses): void {
  if (name === 'healthCheck') {
    uses.calls.add(contracts.healthCheck('*').subject);
    return;
  }
  if (name === 'quotaUse' || name === 'listAudit') {
    // Who answers it does so under a subject of its own.
    const isServed = ts.isCallExpression(node.parent.parent) && node.parent.parent.expression.getText() === 'Handles';
    if (!isServed) uses.calls.add(contracts[name]('*').subject);
    return;
  }
  const contract = (contracts as Record<string, unknown>)[name] as Contract | undefined;
  if (typeof contract?.subject !== 'string') return;
  const subject = pattern(contract.subject);
  const call = ts.isCallExpression(node.parent) ? node.parent.expression.getText() : '';
  if (call === 'Consumes') uses.reads.add(subject);
  else if (contract.input === undefined) {
    if (contract.isPublished) uses.emits.add(subject);
  } else if (/^(Handles|serve|subjectOf|this\.answer)$/.test(call)) uses.serves.add(subject);
  else uses.calls.add(subject);
}
