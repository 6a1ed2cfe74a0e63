import { createHash } from 'node:crypto';
import { isSchema, type Schema } from './schema.js';

/** Anthropic's, the strictest. */
const ACCEPTED = /^[a-zA-Z0-9_.-]{1,64}$/;
const MAX_DEPTH = 100;

/** Property names of one tool that providers refuse (`$filter`, `größe`) under others, and back again. */
export class PropertyNames {
  private readonly own: Set<string>;
  private readonly cleaned = new Map<string, string>();
  private readonly originals = new Map<string, string>();

  constructor(root: Schema) {
    this.own = namesIn(root);
  }

  clean(name: string): string {
    if (ACCEPTED.test(name)) return name;
    const known = this.cleaned.get(name);
    if (known) return known;
    const letters = name.replace(/[^a-zA-Z0-9_.-]/g, '_').slice(0, 55) || '_';
    const isTaken = this.own.has(letters) || this.originals.has(letters);
    const hash = createHash('sha256').update(name).digest('hex').slice(0, 8);
    const unique = isTaken ? `${letters}_${hash}` : letters;
    this.cleaned.set(name, unique);
    this.originals.set(unique, name);
    return unique;
  }

  /** Arguments that a model gave by the cleaned names, by the tool's own. */
  restore(args: unknown, depth = 0): unknown {
    if (this.originals.size === 0 || depth > MAX_DEPTH) return args;
    if (Array.isArray(args)) return args.map((item) => this.restore(item, depth + 1));
    if (!isSchema(args)) return args;
    return Object.fromEntries(
      Object.entries(args).map(([name, value]) => [this.originals.get(name) ?? name, this.restore(value, depth + 1)]),
    );
  }
}

/** Every name of a property anywhere in a schema, so that a cleaned one is never that of another. */
function namesIn(value: unknown, found = new Set<string>()): Set<string> {
  if (Array.isArray(value)) for (const item of value) namesIn(item, found);
  else if (isSchema(value))
    for (const [name, part] of Object.entries(value)) {
      found.add(name);
      namesIn(part, found);
    }
  return found;
}
