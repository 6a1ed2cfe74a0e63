/** A piece of a template: text, or what stands between `{{` and `}}`. */
export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'print'; pipe: Pipe }
  | { kind: 'set'; variable: string; pipe: Pipe }
  | { kind: 'if'; branches: { pipe: Pipe | undefined; body: Node[] }[] }
  | { kind: 'range'; variables: string[]; pipe: Pipe; body: Node[]; otherwise: Node[] }
  | { kind: 'with'; variables: string[]; pipe: Pipe; body: Node[]; otherwise: Node[] };

/** Commands whose results are handed from left to right as last arguments. */
export type Pipe = Command[];
export type Command = Term[];
export type Term =
  | { kind: 'literal'; value: string | number | boolean | null }
  | { kind: 'function'; name: string }
  | { kind: 'field'; path: string[] }
  | { kind: 'variable'; name: string; path: string[] }
  | { kind: 'pipe'; pipe: Pipe; path: string[] };

export interface Template {
  body: Node[];
  defines: Map<string, Node[]>;
}

/** Reads a template of Go's text/template, as far as the chart uses it. Errors: SyntaxError with the file's name. */
export function parseTemplate(source: string, file: string): Template {
  const pieces = cut(source);
  const defines = new Map<string, Node[]>();
  let at = 0;
  const fail = (what: string): never => {
    throw new SyntaxError(`${file}: ${what}`);
  };

  function block(): { body: Node[]; end: string } {
    const body: Node[] = [];
    for (; at < pieces.length; at += 1) {
      const piece = pieces[at];
      if (piece === undefined) break;
      if (typeof piece === 'string') {
        if (piece) body.push({ kind: 'text', text: piece });
        continue;
      }
      const { action } = piece;
      const [, word = '', rest = ''] = /^(\w+)\b\s*([\s\S]*)$/.exec(action) ?? [];
      if (action.startsWith('/*')) continue;
      if (word === 'end' || word === 'else') return { body, end: action };
      at += 1;
      if (word === 'define') defines.set(JSON.parse(rest) as string, whole(block()));
      else if (word === 'if') body.push({ kind: 'if', branches: branches(parsePipe(rest, file)) });
      else if (word === 'range' || word === 'with') body.push(scope(word, rest));
      else {
        at -= 1;
        const assignment = /^\$(\w+)\s*:?=\s*([\s\S]+)$/.exec(action);
        if (assignment) {
          body.push({ kind: 'set', variable: assignment[1] ?? '', pipe: parsePipe(assignment[2] ?? '', file) });
        } else body.push({ kind: 'print', pipe: parsePipe(action, file) });
      }
    }
    return { body, end: '' };
  }
  function whole({ body, end }: { body: Node[]; end: string }): Node[] {
    return end === 'end' ? body : fail(`wanted end, found "${end}"`);
  }
  function branches(pipe: Pipe | undefined): { pipe: Pipe | undefined; body: Node[] }[] {
    const { body, end } = block();
    if (end === 'end') return [{ pipe, body }];
    at += 1;
    const condition = /^else\s+if\s+([\s\S]+)$/.exec(end)?.[1];
    return [{ pipe, body }, ...branches(condition === undefined ? undefined : parsePipe(condition, file))];
  }
  function scope(kind: 'range' | 'with', text: string): Node {
    const [, names = '', pipe = text] = /^((?:\$\w+\s*,?\s*)+):=\s*([\s\S]+)$/.exec(text) ?? [];
    const variables = [...names.matchAll(/\$(\w+)/g)].map(([, name = '']) => name);
    const { body, end } = block();
    if (end === 'end') return { kind, variables, pipe: parsePipe(pipe, file), body, otherwise: [] };
    at += 1;
    return { kind, variables, pipe: parsePipe(pipe, file), body, otherwise: whole(block()) };
  }

  const { body, end } = block();
  if (end) fail(`"${end}" without a beginning`);
  return { body, defines };
}

/** Text and actions in turn; `{{-` and `-}}` take the white space beside them away. */
function cut(source: string): (string | { action: string })[] {
  const pieces: (string | { action: string })[] = [];
  let [from, trims] = [0, false];
  for (const match of source.matchAll(
    /\{\{(-(?=\s))?\s*((?:"(?:\\.|[^"\\])*"|`[^`]*`|\/\*[\s\S]*?\*\/|[^"`])*?)\s*((?<=\s)-)?\}\}/g,
  )) {
    const text = source.slice(from, match.index);
    const left = trims ? text.trimStart() : text;
    pieces.push(match[1] ? left.trimEnd() : left, { action: (match[2] ?? '').trim() });
    from = match.index + match[0].length;
    trims = match[3] !== undefined;
  }
  const rest = source.slice(from);
  pieces.push(trims ? rest.trimStart() : rest);
  return pieces;
}

const tokenPattern =
  /\s*("(?:\\.|[^"\\])*"|`[^`]*`|\(|\)(?:\.[\w.]+)?|\||-?\d+(?:\.\d+)?|\$\w*(?:\.\w+)*|\.(?:\w+(?:\.\w+)*)?|\w+)/y;

function parsePipe(text: string, file: string): Pipe {
  const tokens: string[] = [];
  tokenPattern.lastIndex = 0;
  for (let match; tokenPattern.lastIndex < text.trimEnd().length;) {
    match = tokenPattern.exec(text);
    if (!match) throw new SyntaxError(`${file}: cannot read "${text}"`);
    tokens.push(match[1] ?? '');
  }
  let at = 0;
  function pipe(): Pipe {
    const commands: Command[] = [[]];
    for (; at < tokens.length; at += 1) {
      const token = tokens[at] ?? '';
      if (token.startsWith(')')) break;
      if (token === '|') commands.push([]);
      else commands.at(-1)?.push(term(token));
    }
    if (commands.some((command) => command.length === 0)) throw new SyntaxError(`${file}: empty command in "${text}"`);
    return commands;
  }
  function term(token: string): Term {
    if (token === '(') {
      at += 1;
      const inner = pipe();
      const [, path = ''] = /^\)\.?(.*)$/.exec(tokens[at] ?? '') ?? [];
      return { kind: 'pipe', pipe: inner, path: path.split('.').filter(Boolean) };
    }
    if (token.startsWith('"')) return { kind: 'literal', value: JSON.parse(token) as string };
    if (token.startsWith('`')) return { kind: 'literal', value: token.slice(1, -1) };
    if (/^-?\d/.test(token)) return { kind: 'literal', value: Number(token) };
    if (token === 'true' || token === 'false') return { kind: 'literal', value: token === 'true' };
    if (token === 'nil') return { kind: 'literal', value: null };
    if (token.startsWith('$')) {
      const [name = '', ...path] = token.slice(1).split('.');
      return { kind: 'variable', name, path };
    }
    if (token.startsWith('.')) return { kind: 'field', path: token.slice(1).split('.').filter(Boolean) };
    return { kind: 'function', name: token };
  }
  return pipe();
}
