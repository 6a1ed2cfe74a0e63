import { functions, isTrue, textOf, type Value } from './functions.js';
import type { Node, Pipe, Template, Term } from './parse.js';

interface Scope {
  dot: Value;
  variables: Map<string, Value>;
}

/** Evaluates templates of one chart, which may include each other's definitions. */
export class Evaluator {
  private readonly defines = new Map<string, Node[]>();

  constructor(templates: Template[]) {
    for (const template of templates) for (const [name, body] of template.defines) this.defines.set(name, body);
  }

  render(body: Node[], root: Value): string {
    return this.nodes(body, { dot: root, variables: new Map([['', root]]) });
  }

  private nodes(nodes: Node[], scope: Scope): string {
    return nodes.map((node) => this.node(node, scope)).join('');
  }

  private node(node: Node, scope: Scope): string {
    if (node.kind === 'text') return node.text;
    if (node.kind === 'print') return textOf(this.pipe(node.pipe, scope));
    if (node.kind === 'set') {
      scope.variables.set(node.variable, this.pipe(node.pipe, scope));
      return '';
    }
    if (node.kind === 'if') {
      const taken = node.branches.find(({ pipe }) => pipe === undefined || isTrue(this.pipe(pipe, scope)));
      return taken ? this.nodes(taken.body, inner(scope, scope.dot)) : '';
    }
    const value = this.pipe(node.pipe, scope);
    if (!isTrue(value)) return this.nodes(node.otherwise, inner(scope, scope.dot));
    if (node.kind === 'with') return this.nodes(node.body, inner(scope, value, node.variables, [value]));
    return entriesOf(value)
      .map(([key, item]) => {
        const values = node.variables.length > 1 ? [key, item] : [item];
        return this.nodes(node.body, inner(scope, item, node.variables, values));
      })
      .join('');
  }

  private pipe(pipe: Pipe, scope: Scope): Value {
    let handed: Value[] = [];
    for (const [first, ...others] of pipe) {
      if (!first) throw new SyntaxError('an empty command');
      const args = others.map((term) => this.term(term, scope));
      if (first.kind === 'function') handed = [this.call(first.name, [...args, ...handed])];
      else if (args.length + handed.length > 0) throw new SyntaxError('a value is given arguments');
      else handed = [this.term(first, scope)];
    }
    return handed[0];
  }

  private call(name: string, args: Value[]): Value {
    if (name === 'include') {
      const body = this.defines.get(textOf(args[0]));
      if (!body) throw new Error(`there is no template ${textOf(args[0])}`);
      return this.render(body, args[1]);
    }
    const known = functions[name];
    if (!known) throw new Error(`the renderer does not know the function ${name}`);
    return known(...args);
  }

  private term(term: Term, scope: Scope): Value {
    if (term.kind === 'literal') return term.value;
    if (term.kind === 'function') return this.call(term.name, []);
    if (term.kind === 'field') return walk(scope.dot, term.path);
    if (term.kind === 'pipe') return walk(this.pipe(term.pipe, scope), term.path);
    if (!scope.variables.has(term.name)) throw new Error(`there is no variable $${term.name}`);
    return walk(scope.variables.get(term.name), term.path);
  }
}

function inner({ variables }: Scope, dot: Value, names: string[] = [], values: Value[] = []): Scope {
  const own = new Map(variables);
  for (const [index, name] of names.entries()) own.set(name, values[index]);
  return { dot, variables: own };
}

/** Go walks a map in the order of its keys. */
function entriesOf(value: Value): [Value, Value][] {
  if (Array.isArray(value)) return value.map((item, index) => [index, item]);
  if (typeof value !== 'object' || value === null) throw new TypeError('range over what is no list and no map');
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}

function walk(value: Value, path: string[]): Value {
  return path.reduce<Value>((here, name) => {
    if (here === undefined || here === null) throw new TypeError(`nil pointer evaluating .${name}`);
    return (here as Record<string, Value>)[name];
  }, value);
}
