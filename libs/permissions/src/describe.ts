import type { ArgumentPattern, Permissions, PermissionRule } from '#lib/contracts';
import type { Decision } from './decide.js';

/** Of a rule in a sentence. */
const MAX_RULE_CHARS = 300;

/** Which rule decides, in words: for the model that is refused, and for people who ask why. */
export function describeDecision(permissions: Permissions | undefined, { action, rule, unattended }: Decision): string {
  const { rules = [], default: otherwise = 'allow' } = permissions ?? {};
  const found = rule === null ? undefined : rules[rule];
  const by = found
    ? `rules[${rule}] (${describeRule(found)}) says ${found.action}`
    : `no rule matches, and the default is ${otherwise}`;
  return unattended ? `${by}; nobody attends this turn, and unattended is ${action}` : by;
}

function describeRule({ tool, arguments: wanted = {}, sources }: PermissionRule): string {
  const fields = Object.entries(wanted).map(([name, pattern]) => `${name} ${describePattern(pattern)}`);
  const where = fields.length > 0 ? ` with ${fields.join(' and ')}` : '';
  const from = sources ? ` from ${sources.join(', ')}` : '';
  const whole = `${JSON.stringify(tool).slice(1, -1)}${where}${from}`;
  return whole.length > MAX_RULE_CHARS ? `${whole.slice(0, MAX_RULE_CHARS)}…` : whole;
}

function describePattern(pattern: ArgumentPattern): string {
  if (typeof pattern === 'string') return JSON.stringify(pattern);
  return 'glob' in pattern ? JSON.stringify(pattern.glob) : `matching ${JSON.stringify(pattern.regex)}`;
}
