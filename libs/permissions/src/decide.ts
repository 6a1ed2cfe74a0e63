import type { ArgumentPattern, Channel, Permissions, PermissionAction, PermissionRule } from '#lib/contracts';
import { type ArgumentValue, valuesAt } from './argument-values.js';
import { globPattern, type Pattern, regexPattern } from './patterns.js';

export interface ToolCall {
  /** A built-in tool's name, or `mcp:server/tool`. */
  tool: string;
  /** Those that the tool is about to get. */
  arguments: unknown;
  /** How the turn began. */
  source: Channel;
}

export interface Decision {
  action: PermissionAction;
  /** Its index in `rules`; null: `default` decides. */
  rule: number | null;
  /** It would be asked, and `unattended` decides in its place. */
  unattended?: true;
}

export interface PassedOver {
  rule: number;
  because: 'tool' | 'source' | 'argument';
  argument: string | null;
}

type Mismatch = Omit<PassedOver, 'rule'>;

/** Turns that begin by themselves: nobody waits for an answer. */
const UNATTENDED: Channel[] = ['schedule', 'trigger'];

/** Comparisons of characters for one call, a quarter of a second of steps: a worker runs the turns of others, too. */
const MAX_WORK = 100_000_000;

/** What becomes of a call. Never throws. */
export function decide(permissions: Permissions | undefined, call: ToolCall): Decision {
  const { passedOver: _, ...decision } = explain(permissions, call);
  return decision;
}

/**
 * The same, and why the rules before did not match. The first rule that matches decides. An argument that is too long or
 * too deep to be compared, and a pattern that cannot be read, fail closed: `allow` does not match, `ask` and `deny` do.
 */
export function explain(permissions: Permissions = {}, call: ToolCall): Decision & { passedOver: PassedOver[] } {
  const comparison = new Comparison(call);
  const passedOver: PassedOver[] = [];
  for (const [index, rule] of (permissions.rules ?? []).entries()) {
    const mismatch = comparison.mismatch(rule);
    if (!mismatch) return { ...attended(permissions, call, rule.action, index), passedOver };
    passedOver.push({ rule: index, ...mismatch });
  }
  return { ...attended(permissions, call, permissions.default ?? 'allow', null), passedOver };
}

function attended(
  { unattended = 'wait' }: Permissions,
  { source }: ToolCall,
  action: PermissionAction,
  rule: number | null,
): Decision {
  if (action !== 'ask' || unattended === 'wait' || !UNATTENDED.includes(source)) return { action, rule };
  return { action: unattended, rule, unattended: true };
}

/** One call beside the rules, with an end to the work that they may make. */
class Comparison {
  private workLeft = MAX_WORK;

  constructor(private readonly call: ToolCall) {}

  mismatch({ tool, sources, arguments: wanted = {}, exact, action }: PermissionRule): Mismatch | undefined {
    if (!this.fits(globPattern(tool), this.call.tool, action)) return { because: 'tool', argument: null };
    if (sources && !sources.includes(this.call.source)) return { because: 'source', argument: null };
    const other = exact ? namesOf(this.call.arguments).find((name) => !Object.hasOwn(wanted, name)) : undefined;
    const [name = other] =
      Object.entries(wanted).find(([argument, pattern]) => !this.argumentFits(argument, pattern, action)) ?? [];
    return name === undefined ? undefined : { because: 'argument', argument: name };
  }

  /** Of several values that the name may mean, `allow` has to match all, and the others any. */
  private argumentFits(name: string, wanted: ArgumentPattern, action: PermissionAction): boolean {
    const values = valuesAt(this.call.tool, this.call.arguments, name);
    if (values.length === 0) return false;
    const pattern = patternOf(wanted);
    const fits = (texts: ArgumentValue) =>
      texts === null || pattern === null ? action !== 'allow' : texts.some((text) => this.fits(pattern, text, action));
    return action === 'allow' ? values.every(fits) : values.some(fits);
  }

  private fits(pattern: Pattern, text: string, action: PermissionAction): boolean {
    this.workLeft -= pattern.cost * (text.length + 1);
    return this.workLeft < 0 ? action !== 'allow' : pattern.matches(text);
  }
}

function namesOf(args: unknown): string[] {
  if (typeof args !== 'object' || args === null) return [];
  return Object.keys(args).filter((name) => (args as Record<string, unknown>)[name] !== undefined);
}

/** Null where it is no pattern: one that an earlier or later version took. */
function patternOf(pattern: ArgumentPattern): Pattern | null {
  if (typeof pattern === 'string') return globPattern(pattern);
  if ('glob' in pattern) return globPattern(pattern.glob);
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  let made: Pattern | null = null;
  try {
    made = regexPattern(pattern.regex);
  } catch {
    // Nothing to be compared with: the caller fails closed.
  }
  compiled.set(pattern, made);
  return made;
}

/** As long as the permissions that they belong to. */
const compiled = new WeakMap<object, Pattern | null>();
