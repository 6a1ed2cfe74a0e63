import { type ArgumentPattern, PermissionRule, type PermissionAction } from '#lib/contracts';
import { RE2JS } from 're2js';
import { valuesAt } from './argument-values.js';
import { decide, type ToolCall } from './decide.js';

/**
 * The rule that matches just this call: this tool with these arguments and no others, whatever begins the turn. Undefined
 * where no rule can say that: an argument is too long for a pattern, or there are too many.
 */
export function exactRule(call: ToolCall, action: PermissionAction): PermissionRule | undefined {
  const args = Object.entries(call.arguments as Record<string, unknown>).filter(([, value]) => value !== undefined);
  const patterns = args.map(([name]) => [name, exactPattern(valuesAt(call.tool, call.arguments, name).at(-1)?.[0])]);
  const rule = {
    tool: call.tool,
    arguments: Object.fromEntries(patterns) as Record<string, ArgumentPattern>,
    exact: true,
    action,
  };
  if (call.tool.includes('*') || !PermissionRule.safeEncode(rule).success) return undefined;
  // Of two fields that one name may mean, say.
  return decide({ rules: [rule], default: 'ask' }, call).rule === 0 ? rule : undefined;
}

/** Too long a pattern is left to the schema to refuse. */
function exactPattern(text = ''): ArgumentPattern {
  return text.includes('*') ? { regex: RE2JS.quote(text) } : text;
}
