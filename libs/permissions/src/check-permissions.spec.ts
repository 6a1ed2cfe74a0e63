import { BUILT_IN_TOOLS, MAX_PATTERN, Permissions, type PermissionRule } from '#lib/contracts';
import { describe, expect, it } from 'vitest';
import { checkPermissions } from './check-permissions.js';

const problems = (...rules: Partial<PermissionRule>[]) =>
  checkPermissions({ rules: rules.map((rule) => ({ tool: 'bash', action: 'deny', ...rule })) });

describe('permissions that are set', () => {
  it.each([...BUILT_IN_TOOLS, '*', 'b*', '*_file', 'mcp:github/*', 'mcp:*', 'mcp:a/b', 'm*', 'mcp*', '*h'])(
    'may name the tool %s',
    (tool) => expect(problems({ tool })).toEqual([]),
  );

  it.each(['bsh', 'github__issues', 'mcp:github', 'mcp', 'Bash', 'read_file ', 'x*'])(
    'must not name a tool that there cannot be: %s',
    (tool) => expect(problems({}, { tool })).toMatchObject([{ field: 'rules.1.tool', reason: 'unknown_tool' }]),
  );

  it.each(['(', 'a**', '(?=x)', '\\1', 'a{2000}', '(?:(?:a{100}){100}){100}', '[', '.{1000}'.repeat(9), '(?<!x)y'])(
    'must not hold %s, which is no regular expression of RE2 or too large a one',
    (regex) => {
      const found = problems({ arguments: { command: { regex } } });
      expect(found).toMatchObject([{ field: 'rules.0.arguments.command.regex', reason: 'invalid_pattern' }]);
    },
  );

  it('must not name what is deeper than any argument', () => {
    expect(problems({ arguments: { ['a.'.repeat(40)]: '*' } })).toMatchObject([{ reason: 'too_deep' }]);
  });

  it('are bounded', () => {
    const rule = { tool: 'bash', action: 'deny' };
    const parses = (value: unknown) => Permissions.safeParse(value).success;
    expect(parses({ rules: Array.from({ length: 100 }, () => rule) })).toBe(true);
    expect(parses({ rules: Array.from({ length: 101 }, () => rule) })).toBe(false);
    expect(parses({ rules: [{ ...rule, arguments: { a: 'x'.repeat(MAX_PATTERN) } }] })).toBe(true);
    expect(parses({ rules: [{ ...rule, arguments: { a: 'x'.repeat(MAX_PATTERN + 1) } }] })).toBe(false);
    const full = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`a${n}`, 'x'.repeat(MAX_PATTERN)]));
    expect(parses({ rules: [{ ...rule, arguments: full }] })).toBe(true);
    expect(parses({ rules: Array.from({ length: 10 }, () => ({ ...rule, arguments: full })) })).toBe(false);
    expect(parses({ rules: [{ ...rule, arguments: { ...full, more: '*' } }] })).toBe(false);
    expect(parses({ rules: [{ ...rule, unknown: true }] })).toBe(false);
  });
});
