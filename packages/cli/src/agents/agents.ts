import type { AgentDetails, NewAgent } from '@roost-ai/sdk';
import { buildCommand, buildRouteMap } from '@stricli/core';
import { readFileSync } from 'node:fs';
import { agentArgument, type Cli, type Common, common } from '../cli.js';
import { CliError, EXIT } from '../failure.js';
import { clean, inLine } from '../output/clean.js';
import { ago } from '../output/table.js';
import { explain } from './permissions.js';
import { diff, draft, pin, rollback, versions } from './versions.js';

const oneAgent = { kind: 'tuple', parameters: [agentArgument] } as const;

const list = buildCommand({
  docs: { brief: 'All agents, the newest first' },
  parameters: {
    flags: {
      ...common,
      status: {
        kind: 'enum',
        values: ['active', 'paused', 'stopped', 'error'],
        optional: true,
        brief: 'Only those in this state',
      },
    },
  },
  async func(this: Cli, flags: Common & { status?: 'active' | 'paused' | 'stopped' | 'error' }) {
    const agents = await this.connect(flags)
      .agents.list(flags.status === undefined ? {} : { status: flags.status })
      .toArray();
    if (flags.json) return this.out.json(agents);
    const rows = agents.map(({ id, name, status, message_count: count, updated_at: at }) => [
      id,
      status,
      count,
      ago(at),
      name,
    ]);
    this.out.table(
      ['ID', 'STATUS', 'MESSAGES', 'CHANGED', 'NAME'],
      rows,
      'No agents. Make one with: roost agents create NAME',
    );
  },
});

interface SettingFlags extends Common {
  model?: string;
  prompt?: string;
  promptFile?: string;
  configuration?: string;
}

const settings = {
  ...common,
  model: { kind: 'parsed', parse: String, optional: true, brief: 'provider/model; the platform’s own if not given' },
  prompt: { kind: 'parsed', parse: String, optional: true, brief: 'Its system prompt' },
  promptFile: { kind: 'parsed', parse: String, optional: true, brief: 'A file that holds its system prompt' },
  configuration: { kind: 'parsed', parse: String, optional: true, brief: 'A JSON file with its configuration' },
} as const;

function settingsOf({ model, prompt, promptFile, configuration }: SettingFlags) {
  const given = configuration === undefined ? {} : configurationIn(configuration);
  const systemPrompt = promptFile === undefined ? prompt : textIn(promptFile);
  return {
    configuration: { ...given, ...(model === undefined ? {} : { model }) },
    ...(systemPrompt === undefined ? {} : { system_prompt: systemPrompt }),
  };
}

const create = buildCommand({
  docs: { brief: 'Make an agent' },
  parameters: {
    flags: settings,
    positional: { kind: 'tuple', parameters: [{ brief: 'Its name', placeholder: 'name', parse: String }] },
  },
  async func(this: Cli, flags: SettingFlags, name: string) {
    const { details } = await this.connect(flags).agents.create({ name, ...settingsOf(flags) });
    if (flags.json) return this.out.json(details);
    this.out.line(`${details.id}  ${clean(details.name)}`);
    this.out.note(`Talk to it with: roost chat ${/^[\w-]+$/.test(name) ? name : details.id}`);
  },
});

const update = buildCommand({
  docs: { brief: 'Change an agent, from its next turn on; what is not named stays' },
  parameters: {
    flags: { ...settings, name: { kind: 'parsed', parse: String, optional: true, brief: 'Its new name' } },
    positional: oneAgent,
  },
  async func(this: Cli, flags: SettingFlags & { name?: string }, name: string) {
    const change = { ...settingsOf(flags), ...(flags.name === undefined ? {} : { name: flags.name }) };
    const details = await (await this.agent(flags, name)).update(change);
    if (flags.json) this.out.json(details);
    else this.out.line(shown(details).join('\n'));
  },
});

const get = buildCommand({
  docs: { brief: 'One agent, with its configuration' },
  parameters: { flags: common, positional: oneAgent },
  async func(this: Cli, flags: Common, name: string) {
    const details = await (await this.agent(flags, name)).get();
    if (flags.json) this.out.json(details);
    else this.out.line(shown(details).join('\n'));
  },
});

function shown(agent: AgentDetails): string[] {
  const { configuration, filesystem_summary: files } = agent;
  const fields: [string, string | number | null | undefined][] = [
    ['id', agent.id],
    ['name', agent.name],
    ['description', agent.description],
    ['status', agent.status_reason ? `${agent.status}: ${agent.status_reason}` : agent.status],
    ['model', configuration.model ?? 'the platform’s default'],
    ['tokens left', agent.output_token_balance],
    ['sessions', agent.session_mode],
    ['files', files ? `${files.total_files ?? '?'}, ${files.total_size_mb ?? '?'} MB` : null],
    ...agent.mcp_servers.map(({ name, status, reason }): [string, string] => [
      'MCP server',
      `${name}: ${status}${reason ? `, ${inLine(reason, 300)}` : ''}`,
    ]),
    ['made', ago(agent.created_at)],
  ];
  return fields.flatMap(([label, value]) =>
    value === null || value === undefined ? [] : [`${label.padEnd(12)} ${clean(String(value))}`],
  );
}

/** `start`, `stop` and the like: one call, and the state after it. */
function change(action: 'start' | 'stop' | 'pause' | 'resume', brief: string) {
  return buildCommand({
    docs: { brief },
    parameters: { flags: common, positional: oneAgent },
    async func(this: Cli, flags: Common, name: string) {
      const result = await (await this.agent(flags, name))[action]();
      if (flags.json) this.out.json(result);
      else this.out.line(`${clean(name)} is ${result.status}`);
    },
  });
}

const remove = buildCommand({
  docs: { brief: 'Delete an agent with its files, messages, schedules and everything else, permanently' },
  parameters: {
    flags: { ...common, yes: { kind: 'boolean', optional: true, withNegated: false, brief: 'That it is meant' } },
    positional: oneAgent,
  },
  async func(this: Cli, flags: Common & { yes?: boolean }, name: string) {
    if (!flags.yes) throw new CliError('what is deleted does not come back: say --yes', EXIT.usage);
    const result = await (await this.agent(flags, name)).delete();
    if (flags.json) this.out.json(result);
    else this.out.line(`${result.id} is deleted`);
  },
});

function configurationIn(file: string): NonNullable<NewAgent['configuration']> {
  try {
    // The API says what is wrong with a field.
    return JSON.parse(textIn(file)) as NonNullable<NewAgent['configuration']>;
  } catch (error) {
    if (error instanceof SyntaxError) throw new CliError(`${file} is not JSON: ${error.message}`, EXIT.usage);
    throw error;
  }
}

function textIn(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new CliError(`${file} cannot be read`, EXIT.usage);
  }
}

export const agents = buildRouteMap({
  docs: { brief: 'Make, see and change agents' },
  routes: {
    list,
    create,
    get,
    update,
    start: change('start', 'Start an agent, from whatever state'),
    stop: change('stop', 'Stop an agent: a turn in progress is cancelled, new messages are refused'),
    pause: change('pause', 'Pause an agent: messages wait until it is resumed'),
    resume: change('resume', 'Resume a paused agent'),
    versions,
    draft,
    pin,
    diff,
    rollback,
    explain,
    delete: remove,
  },
});
