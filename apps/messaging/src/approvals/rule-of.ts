import { type Approval, encode, PermissionRule, RoostError } from '#lib/contracts';
import { checkPermissions, exactRule } from '#lib/permissions';
import { z } from 'zod';

/** A rule as the event carries it: in the form of the wire. */
const JsonRule = z.record(z.string(), z.json());

/**
 * The rule of `allow_always`: the one that was given, or this tool with exactly the arguments that run. Errors:
 * VALIDATION_ERROR when it is none that allows, or no rule can name the arguments.
 */
export function ruleOf({ tool, source }: Approval, text: string, given: PermissionRule | undefined) {
  const [wrong] = given ? checkPermissions({ rules: [given] }) : [];
  if (wrong) {
    const field = `rule.${wrong.field.replace('rules.0.', '')}`;
    throw new RoostError('VALIDATION_ERROR', `${field}: ${wrong.message}`, [{ field, reason: wrong.reason }]);
  }
  const rule = given ?? exactRule({ tool, source, arguments: JSON.parse(text) as unknown }, 'allow');
  if (rule?.action === 'allow') return JsonRule.parse(encode(PermissionRule, rule));
  const problem = rule
    ? 'its action must be allow'
    : 'the arguments are too long for one: give a wider rule, or allow once';
  throw new RoostError('VALIDATION_ERROR', `rule: ${problem}`, [{ field: 'rule', reason: 'invalid' }]);
}
