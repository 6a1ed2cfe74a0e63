import { checkedKeywords } from './keywords.js';
import { isSchema, type Schema } from './schema.js';
import { PropertyNames } from './property-names.js';
import { referred } from './references.js';
import { asOneObject, mergedAll } from './alternatives.js';

/** Past it a schema takes a noticeable part of every prompt. */
const MAX_CHARS = 100_000;
/** Levels of values: OpenAI documents ten for the schemas that it checks. Deeper ones become open objects. */
const MAX_DEPTH = 8;
/** A reference in a reference in a reference grows a small schema without end. */
const MAX_NODES = 900;
const MAX_PROPERTIES = 200;
const MAX_ALTERNATIVES = 50;

export interface CleanSchema {
  schema: Schema;
  /** Arguments by the names that the tool knows. */
  restore(args: unknown): unknown;
}

/**
 * A tool's input schema as every provider takes it: an object with no alternatives at its top, property names of plain
 * letters, references put in, nothing that is no JSON Schema. What cannot be expressed that way is left open; the tool
 * itself still checks its arguments. Gives the reason where nothing can be made of it.
 */
export function cleanSchema(raw: unknown): CleanSchema | { problem: string } {
  if (raw !== undefined && raw !== null && !isSchema(raw)) return { problem: 'its input schema is no object' };
  const root = raw ?? {};
  if (JSON.stringify(root).length > MAX_CHARS)
    return { problem: `its input schema is longer than ${MAX_CHARS} characters` };
  const names = new PropertyNames(root);
  const cleaned = asOneObject(new Cleaning(root, names).schema(root, 0, []));
  if (cleaned['type'] !== 'object') return { problem: 'its input is no object' };
  if (JSON.stringify(cleaned).length > MAX_CHARS)
    return { problem: `its input schema is longer than ${MAX_CHARS} characters with its references put in` };
  return { schema: cleaned, restore: (args) => names.restore(args) };
}

class Cleaning {
  private nodes = 0;

  constructor(
    private readonly root: Schema,
    private readonly names: PropertyNames,
  ) {}

  /** `inside`: the references that lead here. */
  schema(raw: unknown, depth: number, inside: string[]): Schema {
    if (!isSchema(raw) || ++this.nodes > MAX_NODES) return {};
    const [found, references] = referred(raw, this.root, inside);
    const kept = checkedKeywords(found);
    const next = depth + 1;
    const clean = (part: unknown) => this.schema(part, depth, references);
    const anyOf = listOf(found['anyOf'] ?? found['oneOf']).map(clean);
    if (depth < MAX_DEPTH) {
      if (isSchema(found['properties'])) {
        const properties = this.properties(found['properties'], next, references);
        kept['properties'] = properties;
        kept['required'] = requiredOf(found['required'], properties, this.names);
      }
      const items = itemsOf(found);
      if (items) kept['items'] = this.schema(items, next, references);
      const rest = found['additionalProperties'];
      // Nothing is forbidden that was left out above.
      const isWhole = Object.keys(found['properties'] ?? {}).length === Object.keys(kept['properties'] ?? {}).length;
      if (typeof rest === 'boolean') kept['additionalProperties'] = rest || !isWhole;
      else if (isSchema(rest)) kept['additionalProperties'] = this.schema(rest, next, references);
    }
    if (kept['type'] === undefined) {
      const type = impliedType(kept);
      if (type) kept['type'] = type;
    }
    if (typesOf(kept).includes('array')) kept['items'] ??= {};
    if (anyOf.length > 0) kept['anyOf'] = anyOf;
    return mergedAll(kept, listOf(found['allOf']).map(clean));
  }

  /** As many as there is room for. */
  private properties(raw: Schema, depth: number, inside: string[]): Schema {
    const kept: [string, Schema][] = [];
    for (const [name, part] of Object.entries(raw)) {
      if (kept.length >= MAX_PROPERTIES || this.nodes >= MAX_NODES) break;
      kept.push([this.names.clean(name), this.schema(part, depth, inside)]);
    }
    return Object.fromEntries(kept);
  }
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value.slice(0, MAX_ALTERNATIVES) : []);

const typesOf = ({ type }: Schema): unknown[] => (Array.isArray(type) ? type : [type]);

/** Tuples of older drafts and of this one become lists of any of their members. */
function itemsOf({ items, prefixItems }: Schema): unknown {
  const tuple = Array.isArray(items) ? items : Array.isArray(prefixItems) ? prefixItems : undefined;
  return tuple ? { anyOf: tuple } : items;
}

function requiredOf(raw: unknown, properties: Schema, names: PropertyNames): string[] {
  const required = Array.isArray(raw) ? raw.filter((name) => typeof name === 'string') : [];
  return [...new Set(required.map((name) => names.clean(name)))].filter((name) => Object.hasOwn(properties, name));
}

function impliedType({ properties, items, enum: values }: Schema): string | undefined {
  if (properties) return 'object';
  if (items) return 'array';
  return Array.isArray(values) && values.every((value) => typeof value === 'string') ? 'string' : undefined;
}
