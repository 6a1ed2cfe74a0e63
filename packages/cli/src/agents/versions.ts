import type { FieldChange } from '@roost-ai/sdk';
import { buildCommand, numberParser } from '@stricli/core';
import { agentArgument, type Cli, type Common, common } from '../cli.js';
import { clean, inLine } from '../output/clean.js';
import { ago } from '../output/table.js';

/** Characters of a value in a line of a comparison; `--json` has all of it. */
const SHOWN = 60;

const number = (brief: string) => ({ brief, placeholder: 'version', parse: numberParser });

export const versions = buildCommand({
  docs: { brief: 'The versions of an agent’s configuration, the newest first' },
  parameters: {
    flags: { ...common, limit: { kind: 'parsed', parse: numberParser, default: '20', brief: 'How many' } },
    positional: { kind: 'tuple', parameters: [agentArgument] },
    aliases: { n: 'limit' },
  },
  async func(this: Cli, { limit, ...flags }: Common & { limit: number }, name: string) {
    const found = await (await this.agent(flags, name)).versions.list().toArray(Math.max(0, limit));
    if (flags.json) return this.out.json(found);
    const rows = found.map((version) => [
      `${version.version}${version.is_current ? ' *' : version.is_draft ? ' draft' : ''}`,
      ago(version.created_at),
      version.created_by ? `${version.created_by.type}:${version.created_by.id}` : '-',
      version.changed.join(', '),
      version.note,
    ]);
    this.out.table(['VERSION', 'MADE', 'BY', 'CHANGED', 'NOTE'], rows, 'There is none.');
  },
});

interface DraftFlags extends Common {
  prompt?: string;
  model?: string;
  note?: string;
}

export const draft = buildCommand({
  docs: {
    brief: 'Make a version that the agent does not get, to be tried with roost send --version',
    fullDescription: 'Publish it with roost agents rollback AGENT VERSION.',
  },
  parameters: {
    flags: {
      ...common,
      prompt: { kind: 'parsed', parse: String, optional: true, brief: 'Its system prompt' },
      model: { kind: 'parsed', parse: String, optional: true, brief: 'provider/model' },
      note: { kind: 'parsed', parse: String, optional: true, brief: 'What it is about' },
    },
    positional: { kind: 'tuple', parameters: [agentArgument] },
  },
  async func(this: Cli, { prompt, model, note, ...flags }: DraftFlags, name: string) {
    const made = await (
      await this.agent(flags, name)
    ).versions.draft({
      ...(prompt === undefined ? {} : { system_prompt: prompt }),
      ...(model === undefined ? {} : { configuration: { model } }),
      ...(note === undefined ? {} : { note }),
    });
    if (flags.json) return this.out.json(made);
    this.out.line(`Version ${made.version} is a draft.`);
    this.out.note(`Try it with: roost send --version ${made.version} ${clean(name)} TEXT`);
  },
});

export const pin = buildCommand({
  docs: { brief: 'Have one version answer in a conversation, whatever the agent is changed to; "none" unpins it' },
  parameters: {
    flags: common,
    positional: {
      kind: 'tuple',
      parameters: [
        agentArgument,
        { brief: 'The conversation', placeholder: 'conversation', parse: String },
        {
          brief: 'The version, or none',
          placeholder: 'version',
          parse: (text) => (text === 'none' ? null : numberParser(text)),
        },
      ],
    },
  },
  async func(this: Cli, flags: Common, name: string, conversation: string, version: number | null) {
    const pinned = await (await this.agent(flags, name)).messages.pin(conversation, version);
    if (flags.json) return this.out.json(pinned);
    this.out.line(version === null ? 'Not pinned.' : `Version ${version} answers in it.`);
  },
});

export const diff = buildCommand({
  docs: {
    brief: 'What differs between two versions of an agent’s configuration; the second is the present one if not named',
  },
  parameters: {
    flags: common,
    positional: {
      kind: 'tuple',
      parameters: [agentArgument, number('The one to compare with'), { ...number('The other'), optional: true }],
    },
  },
  async func(this: Cli, flags: Common, name: string, from: number, to?: number) {
    const agent = await this.agent(flags, name);
    const changes = await agent.versions.diff(from, to);
    if (flags.json) return this.out.json(changes);
    this.out.line(changes.length === 0 ? 'Nothing differs.' : changes.flatMap(linesOf).join('\n'));
  },
});

export const rollback = buildCommand({
  docs: { brief: 'Give an agent the settings of an earlier version, as a new one' },
  parameters: {
    flags: {
      ...common,
      note: { kind: 'parsed', parse: String, optional: true, brief: 'Why, for whoever reads the versions' },
    },
    positional: { kind: 'tuple', parameters: [agentArgument, number('The version to go back to')] },
  },
  async func(this: Cli, { note, ...flags }: Common & { note?: string }, name: string, version: number) {
    const agent = await this.agent(flags, name);
    const done = await agent.versions.rollBack(version, note === undefined ? {} : { note });
    if (flags.json) return this.out.json(done);
    this.out.line(`It has the settings of version ${version}, as version ${done.version}.`);
    for (const { field, reason } of done.not_restored)
      this.out.note(`not restored: ${inLine(field, SHOWN)} (${reason.replaceAll('_', ' ')})`);
  },
});

function linesOf({ field, from, to, secret }: FieldChange): string[] {
  const [was, is] = secret ? [setIn(secret.from), setIn(secret.to)] : [textOf(from), textOf(to)];
  return [inLine(field, SHOWN), ...(was === null ? [] : [`  - ${was}`]), ...(is === null ? [] : [`  + ${is}`])];
}

const setIn = (version: number | null) => (version === null ? null : `a secret, set in version ${version}`);
const textOf = (value: unknown) => (value === null ? null : inLine(JSON.stringify(value), SHOWN));
