import { RoostError } from '#lib/contracts';
import { isUtf8 } from 'node:buffer';
import {
  Composer,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  type Node,
  Parser,
  type YAMLMap,
} from 'yaml';
import { MAX_JSON_DEPTH, MAX_JSON_VALUES } from './json-bounds.js';
import { refuseUnusable } from './usable-text.js';

/** Two for each value and as many for what is between them: more is made of comments or of nothing. */
const MAX_LEXEMES = 10 * MAX_JSON_VALUES;
/** The parser holds a node and its place for each level, and the document around them. */
const MAX_STACK = 2 * MAX_JSON_DEPTH + 4;

/**
 * YAML 1.2 as the JSON that it stands for: one document of maps with keys that are texts, lists, texts, numbers, true,
 * false and null. Its bounds are those of JSON, with aliases counted as what they stand for, and are looked at while it
 * is read: what is too large is not read to its end. Errors: VALIDATION_ERROR.
 */
export function readYaml(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw refused('not_utf8', 'the body is not UTF-8');
  const text = bytes.toString('utf8');
  const { contents, errors, warnings } = composed(text);
  const [problem] = [...errors, ...warnings];
  if (problem)
    throw refused(
      'malformed_yaml',
      `the body is not valid YAML, at ${placeIn(text, problem.pos[0])}: ${wordsOf(problem.code)}`,
    );
  const value = new Values(bytes.length).of(contents);
  refuseUnusable(value);
  return value;
}

function composed(text: string): Document.Parsed {
  const parser = new Parser();
  // Duplicate keys are looked for below: this library would compare each with each.
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
  });
  const documents: Document.Parsed[] = [];
  const take = (tokens: ReturnType<Parser['next']>) => {
    for (const token of tokens) documents.push(...(composer.next(token) as Iterable<Document.Parsed>));
    if (documents.length > 1) throw refused('several_documents', 'the body holds several YAML documents; send one');
  };
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (++lexemes > MAX_LEXEMES) throw refused('too_many_values', `the body holds more than ${MAX_JSON_VALUES} values`);
    take(parser.next(lexeme));
    if (parser.stack.length > MAX_STACK) throw tooDeep();
  }
  take(parser.end());
  documents.push(...(composer.end() as Iterable<Document.Parsed>));
  const [document, another] = documents;
  if (another) throw refused('several_documents', 'the body holds several YAML documents; send one');
  if (!document) throw refused('malformed_yaml', 'the body is empty');
  return document;
}

/** Values of nodes, which come in their order: an alias stands for what was read before. */
class Values {
  private readonly anchors = new Map<string, { value: unknown; cost: Cost }>();
  private readonly spent: Cost = { values: 0, characters: 0 };

  /** `maxCharacters`: how much text there may be in all, which aliases repeat. */
  constructor(private readonly maxCharacters: number) {}

  of(node: unknown, depth = 1): unknown {
    if (depth > MAX_JSON_DEPTH) throw tooDeep();
    if (!isNode(node)) return null;
    if (isAlias(node)) return this.repeated(node.source);
    const before = { ...this.spent };
    this.spend({ values: 1, characters: 0 });
    const value = this.read(node, depth);
    if (node.anchor !== undefined) this.anchors.set(node.anchor, { value, cost: difference(this.spent, before) });
    return value;
  }

  private read(node: Node, depth: number): unknown {
    if (isMap(node)) return this.map(node, depth);
    if (isSeq(node)) return node.items.map((item) => this.of(item, depth + 1));
    const value = isScalar(node) ? node.value : undefined;
    if (typeof value === 'string') this.spend({ values: 0, characters: value.length });
    if (value === null || ['string', 'boolean'].includes(typeof value) || Number.isFinite(value)) return value;
    throw refused('malformed_yaml', 'the body holds a value that JSON does not have');
  }

  private map(node: YAMLMap, depth: number): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    for (const { key, value } of node.items) {
      const name = keyOf(key);
      if (name === undefined) throw refused('malformed_yaml', 'the body holds a key that is not a text');
      if (Object.hasOwn(object, name) || name === '__proto__')
        throw refused(
          'duplicate_key',
          `the body holds the key ${JSON.stringify(name.slice(0, 100))} twice, or it is no name`,
        );
      this.spend({ values: 0, characters: name.length });
      object[name] = this.of(value, depth + 1);
    }
    return object;
  }

  private repeated(anchor: string): unknown {
    const known = this.anchors.get(anchor);
    if (!known) throw refused('malformed_yaml', 'the body holds an alias of what was not defined before it');
    this.spend(known.cost);
    return known.value;
  }

  private spend({ values, characters }: Cost): void {
    this.spent.values += values;
    this.spent.characters += characters;
    if (this.spent.values > MAX_JSON_VALUES)
      throw refused('too_many_values', `the body holds more than ${MAX_JSON_VALUES} values`);
    if (this.spent.characters > this.maxCharacters + MAX_REPEATED)
      throw refused('too_large', 'the body repeats more text by aliases than it may');
  }
}

/** What aliases may add to the text of a body. */
const MAX_REPEATED = 2 ** 20;

interface Cost {
  values: number;
  characters: number;
}

const difference = (one: Cost, other: Cost): Cost => ({
  values: one.values - other.values,
  characters: one.characters - other.characters,
});

/** A name that looks like a number or like null is a name nevertheless. */
function keyOf(key: unknown): string | undefined {
  if (!isScalar(key)) return undefined;
  return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
}

function placeIn(text: string, offset: number): string {
  const before = text.slice(0, offset);
  return `line ${before.split('\n').length}, column ${offset - before.lastIndexOf('\n')}`;
}

/** `BAD_INDENT` → `bad indent`: the library's own messages quote the text. */
const wordsOf = (code: string) => code.toLowerCase().replaceAll('_', ' ');

const tooDeep = () => refused('too_deep', `the body is nested more than ${MAX_JSON_DEPTH} levels deep`);

function refused(reason: string, message: string): RoostError {
  return new RoostError('VALIDATION_ERROR', message, [{ field: 'body', reason }]);
}
