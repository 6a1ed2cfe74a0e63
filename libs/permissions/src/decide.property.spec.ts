import {
  CHANNELS,
  type ArgumentPattern,
  PERMISSION_ACTIONS,
  type Permissions,
  type PermissionRule,
} from '#lib/contracts';
import fc from 'fast-check';
import { posix } from 'node:path';
import { expect, it } from 'vitest';
import { decide, type Decision, type ToolCall } from './decide.js';

/** What docs/guide/permissions.md says, written down once more and as plainly as can be. */
function reference(
  { rules = [], default: otherwise = 'allow', unattended = 'wait' }: Permissions,
  call: ToolCall,
): Decision {
  const found = rules.findIndex((rule) => matches(rule, call));
  const action = rules[found]?.action ?? otherwise;
  const rule = found < 0 ? null : found;
  const isUnattended = call.source === 'schedule' || call.source === 'trigger';
  if (action === 'ask' && isUnattended && unattended !== 'wait') return { action: unattended, rule, unattended: true };
  return { action, rule };
}

function matches(rule: PermissionRule, { tool, arguments: args, source }: ToolCall): boolean {
  if (!glob(rule.tool, tool)) return false;
  if (rule.sources && !rule.sources.includes(source)) return false;
  const wanted = Object.entries(rule.arguments ?? {});
  if (rule.exact && Object.keys(args as object).some((name) => !wanted.some(([known]) => known === name))) return false;
  return wanted.every(([name, pattern]) => {
    const fitting = everything(args)
      .filter(([path]) => path === name)
      .map(([, value]) => spellings(tool, name, value).some((text) => fits(pattern, text)));
    if (fitting.length === 0) return false;
    return rule.action === 'allow' ? fitting.every(Boolean) : fitting.some(Boolean);
  });
}

/** All values in a value, by the names that lead to them. */
function everything(value: unknown): [string, unknown][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inside]) => [
    [name, inside] as [string, unknown],
    ...everything(inside).map(([path, deeper]) => [`${name}.${path}`, deeper] as [string, unknown]),
  ]);
}

function spellings(tool: string, name: string, value: unknown): string[] {
  if (typeof value !== 'string') return [json(value)];
  if (name !== 'path' || !/^(read|write|edit)_file$|^(list|search)_files$/.test(tool)) return [value];
  const [, first, ...rest] = posix.normalize(`/${value}/`).replace(/\/$/, '').split('/');
  const inside = (first === 'workspace' ? rest : [first, ...rest]).filter((part) => part).join('/');
  return inside ? [inside, `/workspace/${inside}`] : ['', '.', '/workspace', '/workspace/'];
}

function json(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(json).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.keys(value).sort();
  return `{${fields.map((name) => `${JSON.stringify(name)}:${json((value as Record<string, unknown>)[name])}`).join()}}`;
}

function fits(pattern: ArgumentPattern, text: string): boolean {
  if (typeof pattern === 'string') return glob(pattern, text);
  return 'glob' in pattern ? glob(pattern.glob, text) : new RegExp(`^(?:${pattern.regex})$`, 'su').test(text);
}

function glob(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  if (pattern.startsWith('*')) return glob(pattern.slice(1), text) || (text !== '' && glob(pattern, text.slice(1)));
  return text !== '' && pattern.charAt(0) === text.charAt(0) && glob(pattern.slice(1), text.slice(1));
}

const letters = fc.constantFrom('a', 'b', '/', '.', ' ', '\n', '*', '(', '\u202e', '😀');
const text = fc.string({ unit: letters, maxLength: 6 });
const globs = fc.string({ unit: fc.oneof(letters, fc.constant('*')), maxLength: 6 });
const atom = fc.constantFrom('a', 'b', '.', '\\n', '[ab/]', '[^a]', '(?:a|b)', '\\*', '😀', 'a?', '(?:ab)*', '.+');
const regexes = fc.array(atom, { maxLength: 4 }).map((atoms) => atoms.join(''));
const pattern: fc.Arbitrary<ArgumentPattern> = fc.oneof(
  globs,
  globs.map((glob) => ({ glob })),
  regexes.map((regex) => ({ regex })),
);
const names = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'a.b', 'b', 'path') },
  fc.constantFrom('constructor', '__proto__', 'a.b.0', 'length'),
);
const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    text,
    fc.integer({ max: 9 }),
    fc.constantFrom(true, null, 1.5),
    tie('list'),
    tie('object'),
  ),
  list: fc.array(tie('value'), { maxLength: 2 }),
  object: fc.dictionary(names, tie('value'), { maxKeys: 2 }),
})).value;
const paths = fc
  .array(fc.constantFrom('workspace', '..', '.', '', 'a', 'b'), { maxLength: 5 })
  .map((parts) => parts.join('/'));
const tool = fc.constantFrom('bash', 'read_file', 'mcp:a/b', 'mcp:a/c');
const source = fc.constantFrom(...CHANNELS);
const action = fc.constantFrom(...PERMISSION_ACTIONS);

const rule: fc.Arbitrary<PermissionRule> = fc.record(
  {
    tool: fc.oneof(tool, fc.constantFrom('*', 'mcp:*', 'mcp:a/*', '*file', 'b*h', 'm*/*')),
    arguments: fc.dictionary(names, fc.oneof(pattern, fc.constantFrom('*', '*a*', { regex: '.*b?' })), { maxKeys: 2 }),
    exact: fc.constantFrom(true, false, false, false),
    sources: fc.uniqueArray(source, { minLength: 1, maxLength: 5 }),
    action,
  },
  { requiredKeys: ['tool', 'action'] },
);
const permissions: fc.Arbitrary<Permissions> = fc.record(
  {
    default: action,
    rules: fc.array(rule, { maxLength: 8, size: 'max' }),
    unattended: fc.constantFrom('wait', 'deny', 'allow'),
  },
  { requiredKeys: [] },
);
const call: fc.Arbitrary<ToolCall> = fc.record({
  tool,
  arguments: fc.oneof(
    fc.dictionary(names, value, { maxKeys: 3 }),
    paths.map((path) => ({ path })),
  ),
  source,
});

it('decides 10,000 cases as a plain reading of the rules does', () => {
  const seen = { rule: 0, default: 0, unattended: 0 };
  fc.assert(
    fc.property(permissions, call, (given, made) => {
      const decision = decide(given, made);
      seen[decision.rule === null ? 'default' : 'rule'] += 1;
      if (decision.unattended) seen.unattended += 1;
      expect(decision).toEqual(reference(given, made));
    }),
    { numRuns: 10_000 },
  );
  // The cases are of every kind.
  expect(seen.rule).toBeGreaterThan(1_500);
  expect(seen.default).toBeGreaterThan(2_000);
  expect(seen.unattended).toBeGreaterThan(50);
});
