import { BUILT_IN_TOOLS, MCP_PREFIX, type Permissions, type PermissionRule } from '#lib/contracts';
import { MAX_STEPS } from './argument-values.js';
import { globPattern, regexPattern } from './patterns.js';

/** What is wrong with permissions, by the name of the field in them. */
export interface PermissionProblem {
  field: string;
  reason: 'invalid_pattern' | 'unknown_tool' | 'too_deep';
  message: string;
}

/** Of a regular expression, for each character: what repeats much takes long to be compared with anything. */
const MAX_COST = 100_000;

/**
 * What the schema cannot say: that regular expressions are ones, and that a rule can match a tool at all. A rule that
 * never matches is worse than none, since its owner counts on it.
 */
export function checkPermissions({ rules = [] }: Permissions): PermissionProblem[] {
  return rules.flatMap((rule, index) =>
    problemsOf(rule).map((problem) => ({ ...problem, field: `rules.${index}.${problem.field}` })),
  );
}

function problemsOf({ tool, arguments: wanted = {} }: PermissionRule): PermissionProblem[] {
  const problems: PermissionProblem[] = [];
  if (!canName(tool)) {
    const message = `no tool is named so: a tool of an MCP server is ${MCP_PREFIX}server/tool, the built-in ones are ${BUILT_IN_TOOLS.join(', ')}`;
    problems.push({ field: 'tool', reason: 'unknown_tool', message });
  }
  for (const [name, pattern] of Object.entries(wanted)) {
    const field = `arguments.${name}`;
    if (name.split('.').length > MAX_STEPS)
      problems.push({
        field,
        reason: 'too_deep',
        message: `must have at most ${MAX_STEPS} names with dots between them`,
      });
    if (typeof pattern === 'string' || 'glob' in pattern) continue;
    const message = regexProblem(pattern.regex);
    if (message !== undefined) problems.push({ field: `${field}.regex`, reason: 'invalid_pattern', message });
  }
  return problems;
}

function canName(tool: string): boolean {
  if (tool.startsWith(MCP_PREFIX)) return tool.includes('/') || tool.includes('*');
  const { matches } = globPattern(tool);
  return BUILT_IN_TOOLS.some(matches) || couldBeginWith(tool, MCP_PREFIX);
}

/** `m*` and `mcp*` name tools of MCP servers, too. */
function couldBeginWith(tool: string, prefix: string): boolean {
  const [fixed = ''] = tool.split('*');
  return tool.includes('*') && prefix.startsWith(fixed);
}

function regexProblem(regex: string): string | undefined {
  try {
    return regexPattern(regex).cost > MAX_COST ? 'is too large: repeat less' : undefined;
  } catch (error) {
    return `is no regular expression of RE2: ${(error as Error).message.slice(0, 200)}`;
  }
}
