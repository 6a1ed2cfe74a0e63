import type { Permissions, PermissionRule } from '#lib/contracts';
import { processorMs } from '#lib/testing';
import { describe, expect, it } from 'vitest';
import { decide, explain } from './decide.js';
import { describeDecision } from './describe.js';
import { exactRule } from './exact-rule.js';

const denies = (rule: Partial<PermissionRule>, args: unknown, tool = 'bash') =>
  decide({ rules: [{ tool: '*', ...rule, action: 'deny' }] }, { tool, arguments: args, source: 'api' }).action ===
  'deny';
const allows = (rule: Partial<PermissionRule>, args: unknown, tool = 'bash') =>
  decide(
    { default: 'deny', rules: [{ tool: '*', ...rule, action: 'allow' }] },
    { tool, arguments: args, source: 'api' },
  ).action === 'allow';
const command = (text: string) => ({ command: text });
const call = (source: 'api' | 'schedule' | 'slack' = 'api', text = 'ls') =>
  ({ tool: 'bash', arguments: command(text), source }) as const;

describe('permissions', () => {
  it('allow everything where there are none', () => {
    expect(decide(undefined, call())).toEqual({ action: 'allow', rule: null });
    expect(decide({}, call())).toEqual({ action: 'allow', rule: null });
  });

  it('go by the first rule that matches, else by the default', () => {
    const permissions: Permissions = {
      default: 'ask',
      rules: [
        { tool: 'bash', arguments: { command: 'git *' }, action: 'allow' },
        { tool: 'bash', action: 'deny' },
        { tool: '*', action: 'allow' },
      ],
    };
    expect(decide(permissions, call('api', 'git status'))).toEqual({ action: 'allow', rule: 0 });
    expect(decide(permissions, call('api', 'rm x'))).toEqual({ action: 'deny', rule: 1 });
    expect(decide({ default: 'ask' }, call())).toEqual({ action: 'ask', rule: null });
    expect(explain(permissions, call('api', 'rm x')).passedOver).toEqual([
      { rule: 0, because: 'argument', argument: 'command' },
    ]);
  });

  it('may concern turns of some sources alone', () => {
    const rules: PermissionRule[] = [{ tool: 'bash', sources: ['slack', 'schedule'], action: 'deny' }];
    expect(decide({ rules }, call('slack')).action).toBe('deny');
    expect(decide({ rules }, call('api')).action).toBe('allow');
  });

  it('say what becomes of a question that nobody sits in front of', () => {
    const rules: PermissionRule[] = [{ tool: 'bash', action: 'ask' }];
    expect(decide({ rules }, call('schedule'))).toEqual({ action: 'ask', rule: 0 });
    expect(decide({ rules, unattended: 'deny' }, call('schedule'))).toEqual({
      action: 'deny',
      rule: 0,
      unattended: true,
    });
    expect(decide({ rules, unattended: 'allow' }, call('schedule'))).toEqual({
      action: 'allow',
      rule: 0,
      unattended: true,
    });
    expect(decide({ rules, unattended: 'allow' }, call('slack'))).toEqual({ action: 'ask', rule: 0 });
  });

  it('name the rule that decides in words', () => {
    const permissions: Permissions = {
      rules: [
        { tool: 'bash', arguments: { command: 'rm *', timeout: { regex: '\\d+' } }, sources: ['slack'], action: 'ask' },
      ],
      unattended: 'deny',
    };
    expect(describeDecision(permissions, { action: 'ask', rule: 0 })).toBe(
      'rules[0] (bash with command "rm *" and timeout matching "\\\\d+" from slack) says ask',
    );
    expect(describeDecision(permissions, { action: 'deny', rule: 0, unattended: true })).toContain(
      'unattended is deny',
    );
    expect(describeDecision(undefined, { action: 'allow', rule: null })).toBe(
      'no rule matches, and the default is allow',
    );
  });
});

describe('patterns', () => {
  it.each([
    ['rm *', 'rm -rf /', true],
    ['rm *', 'rm -rf\n/', true],
    ['rm *', 'ls\nrm -rf /', false],
    ['*rm *', 'ls\nrm -rf /', true],
    ['rm*', 'rm', true],
    ['a*a', 'a', false],
    ['a*b*c', 'axbxc', true],
    ['a*bc*c', 'abc', false],
    ['**', '', true],
    ['', '', true],
    ['', 'a', false],
    ['rm', 'rm ', false],
    ['a.c', 'abc', false],
    ['[a]', 'a', false],
    ['*\u202e*', 'a\u202eb', true],
    ['😀*', '😀', true],
  ])('the glob %j with %j: %j', (glob, text, expected) => {
    expect(denies({ arguments: { command: glob } }, command(text))).toBe(expected);
    expect(allows({ arguments: { command: { glob } } }, command(text))).toBe(expected);
  });

  it.each([
    ['rm .*', 'rm -rf\n/', true],
    ['rm', 'rm x', false],
    ['a|rm .*', 'a and more', false],
    ['(?i)RM .*', 'rm x', true],
    ['^rm$', 'rm', true],
    ['[^a]', '\n', true],
    ['\\p{Greek}+', 'αβγ', true],
    ['.', '😀', true],
  ])('the regular expression %j with %j: %j', (regex, text, expected) => {
    expect(denies({ arguments: { command: { regex } } }, command(text))).toBe(expected);
    expect(allows({ arguments: { command: { regex } } }, command(text))).toBe(expected);
  });

  it('look at what is no text as JSON, fields in the order of their names', () => {
    const args = { count: 12, on: true, none: null, list: ['x', 'secret'], object: { b: 1, a: [2] } };
    expect(denies({ arguments: { count: '1*' } }, args)).toBe(true);
    expect(denies({ arguments: { on: 'true', none: 'null' } }, args)).toBe(true);
    expect(denies({ arguments: { list: '*"secret"*' } }, args)).toBe(true);
    expect(denies({ arguments: { object: '{"a":[2],"b":1}' } }, args)).toBe(true);
    expect(denies({ arguments: { 'object.a.0': '2' } }, args)).toBe(true);
  });

  it('match nothing that is not there, and nothing that is inherited', () => {
    for (const name of ['missing', 'constructor', '__proto__', 'command.length', 'command.a'])
      expect(denies({ arguments: { [name]: '*' } }, command('x'))).toBe(false);
    for (const args of [null, undefined, 'text', 7]) expect(denies({ arguments: { command: '*' } }, args)).toBe(false);
  });

  it('cannot be passed by with a name that means two fields', () => {
    const args = { 'a.b': 'fine', a: { b: 'evil' } };
    expect(denies({ arguments: { 'a.b': 'evil' } }, args)).toBe(true);
    expect(allows({ arguments: { 'a.b': 'fine' } }, args)).toBe(false);
  });

  it('may exclude all other arguments', () => {
    const rule = { arguments: { branch: 'main' }, exact: true };
    expect(allows(rule, { branch: 'main' })).toBe(true);
    expect(allows(rule, { branch: 'main', force: true })).toBe(false);
    expect(allows({ exact: true }, {})).toBe(true);
  });

  it.each([
    'notes/a.txt',
    './notes//a.txt',
    '/workspace/notes/a.txt',
    'workspace/notes/a.txt',
    'notes/b/../a.txt',
    '../notes/a.txt',
  ])('know a file of the workspace by every way to write it: %s', (path) => {
    for (const pattern of ['notes/a.txt', '/workspace/notes/*', 'notes/*'])
      expect(denies({ arguments: { path: pattern } }, { path }, 'read_file')).toBe(true);
    expect(allows({ arguments: { path: 'notes/*' } }, { path: 'notes/../secrets/a' }, 'write_file')).toBe(false);
    expect(denies({ arguments: { path: 'n\u00f6/*' } }, { path: 'n\\xc3\\xb6/a' }, 'write_file')).toBe(true);
  });

  it('take the path of any other tool as it is', () => {
    expect(denies({ arguments: { path: 'a' } }, { path: './a' }, 'mcp:files/read')).toBe(false);
  });
});

describe('what is hostile', () => {
  const long = 'a'.repeat(1_000_000);
  const nested = (levels: number) => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`) as unknown;
  const many = (rule: PermissionRule): Permissions => ({
    default: 'deny',
    rules: Array.from({ length: 100 }, () => rule),
  });
  const within = (ms: number, work: () => unknown) => expect(processorMs(work)).toBeLessThan(ms);

  it.each([
    ['(a+)+b'],
    ['(a|a)*b'],
    ['(.*a){20}b'],
    ['(?:a?){100}a{100}'],
    ['((a*)*)*b'],
    [`(?:${'a|'.repeat(200)}b)*c`],
    ['\\p{L}{400}'],
  ])('is no slower by a regular expression: %s', (regex) => {
    const rule = { tool: '*', arguments: { command: { regex } }, action: 'deny' } as const;
    within(3_000, () => decide(many(rule), call('api', 'a'.repeat(30_000))));
  });

  it('is no slower by a glob of 500 characters and an argument of a million', () => {
    for (const glob of ['*a'.repeat(250), `*${'a'.repeat(498)}b`, '*'.repeat(500)]) {
      const rule = { tool: '*', arguments: { command: glob }, action: 'allow' } as const;
      within(3_000, () => decide(many(rule), call('api', long)));
    }
  });

  it('fails closed where it is too long to be compared: no allow matches, every ask and deny does', () => {
    const arguments_ = { command: { regex: '(?:[ab]*a[ab]{90}){2}' } };
    expect(allows({ arguments: arguments_ }, command(long))).toBe(false);
    expect(denies({ arguments: arguments_ }, command(long))).toBe(true);
  });

  it('fails closed where it is nested too deeply', () => {
    const args = { list: nested(10_000) };
    expect(allows({ arguments: { list: '*' } }, args)).toBe(false);
    expect(denies({ arguments: { list: 'x' } }, args)).toBe(true);
    expect(denies({ arguments: { list: 'x' } }, { list: nested(100) })).toBe(false);
  });

  it('fails closed by a pattern that cannot be read', () => {
    expect(allows({ arguments: { command: { regex: '(' } } }, command('x'))).toBe(false);
    expect(denies({ arguments: { command: { regex: '(' } } }, command('x'))).toBe(true);
  });
});

describe('the rule of one call', () => {
  it('matches that call, and none with other or further arguments', () => {
    const made = { tool: 'bash', arguments: { command: 'rm *.log\n(x)', timeout_seconds: 5 }, source: 'api' } as const;
    const rule = exactRule(made, 'allow');
    expect(rule).toMatchObject({ tool: 'bash', exact: true, action: 'allow', arguments: { timeout_seconds: '5' } });
    const permissions: Permissions = { default: 'ask', rules: rule ? [rule] : [] };
    expect(decide(permissions, made).action).toBe('allow');
    for (const other of [
      { ...made.arguments, command: 'rm a.log\n(x)' },
      { ...made.arguments, force: true },
      { command: made.arguments.command },
    ])
      expect(decide(permissions, { ...made, arguments: other }).action).toBe('ask');
  });

  it('is not there where no rule can say it', () => {
    const rule = (args: Record<string, unknown>, tool = 'bash') =>
      exactRule({ tool, arguments: args, source: 'api' }, 'allow');
    expect(rule({ command: 'a'.repeat(501) })).toBeUndefined();
    expect(rule(Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`a${n}`, n])))).toBeUndefined();
    expect(rule({}, 'mcp:a/*')).toBeUndefined();
    expect(rule({ 'a.b': '1', a: { b: '2' } })).toBeUndefined();
    expect(rule({ path: './a/../b' }, 'read_file')).toMatchObject({ arguments: { path: 'b' } });
  });
});
