import { buildCommand } from '@stricli/core';
import { agentArgument, type Cli, type Common, common } from '../cli.js';
import { CliError, EXIT } from '../failure.js';
import { inLine } from '../output/clean.js';

/** Characters of a reason in a line; `--json` has all of it. */
const SHOWN = 400;
const SOURCES = ['api', 'discord', 'slack', 'telegram', 'schedule', 'trigger'] as const;

export const explain = buildCommand({
  docs: { brief: 'What an agent’s permissions make of a call of a tool, and which rule decides' },
  parameters: {
    flags: {
      ...common,
      source: { kind: 'enum', values: SOURCES, optional: true, brief: 'How the turn began; api if not given' },
    },
    positional: {
      kind: 'tuple',
      parameters: [
        agentArgument,
        { brief: 'A built-in tool, or mcp:server/tool', placeholder: 'tool', parse: String },
        { brief: 'Its arguments as JSON', placeholder: 'arguments', parse: String, optional: true },
      ],
    },
  },
  async func(
    this: Cli,
    { source = 'api', ...flags }: Common & { source?: (typeof SOURCES)[number] },
    name: string,
    tool: string,
    args?: string,
  ) {
    const agent = await this.agent(flags, name);
    const explained = await agent.permissions.explain({ tool, arguments: objectOf(args ?? '{}'), source });
    if (flags.json) return this.out.json(explained);
    this.out.line(`${explained.action}: ${inLine(explained.reason, SHOWN)}`);
    for (const { rule, because, argument } of explained.passed_over)
      this.out.note(
        `rules[${rule}] does not match: its ${because}${argument === null ? '' : ` ${inLine(argument, SHOWN)}`}`,
      );
  },
});

/** Errors: CliError for what is no JSON object. */
function objectOf(text: string): Record<string, never> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, never>;
  } catch {
    // Said below.
  }
  throw new CliError(`The arguments must be a JSON object, such as {"command": "ls"}.`, EXIT.usage);
}
