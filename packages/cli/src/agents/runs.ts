import type { Agent, Run, RunDetails, RunStep } from '@roost-ai/sdk';
import { buildCommand, numberParser } from '@stricli/core';
import { agentArgument, type Cli, type Common, common, STREAM_RETRY_FOR_MS } from '../cli.js';
import { CliError, EXIT } from '../failure.js';
import { clean, inLine } from '../output/clean.js';
import { ago, duration } from '../output/table.js';
import { AnswerView } from './show-events.js';

const STATUSES = ['running', 'waiting', 'completed', 'failed', 'interrupted', 'cancelled'] as const;
/** Columns of the bar that shows when a step ran. */
const BAR = 20;

interface RunsFlags extends Common {
  status?: (typeof STATUSES)[number];
  limit: number;
}

export const runs = buildCommand({
  docs: { brief: 'What an agent did, the newest first' },
  parameters: {
    flags: {
      ...common,
      status: { kind: 'enum', values: STATUSES, optional: true, brief: 'Only those in this state' },
      limit: { kind: 'parsed', parse: numberParser, default: '20', brief: 'How many' },
    },
    positional: { kind: 'tuple', parameters: [agentArgument] },
    aliases: { n: 'limit' },
  },
  async func(this: Cli, { json, profile, status, limit }: RunsFlags, name: string) {
    const agent = await this.agent({ ...(profile === undefined ? {} : { profile }) }, name);
    const found = await agent.runs.list(status === undefined ? {} : { status }).toArray(Math.max(0, limit));
    if (json) return this.out.json(found);
    const rows = found.map((run) => [
      run.id,
      run.status,
      run.source,
      ago(run.started_at),
      tookOf(run),
      costOf(run),
      run.error?.message,
    ]);
    this.out.table(['RUN', 'STATUS', 'BY', 'BEGAN', 'TOOK', 'COST', 'ERROR'], rows, 'It has not done anything yet.');
  },
});

interface TraceFlags extends Common {
  follow?: boolean;
}

export const trace = buildCommand({
  docs: { brief: 'One run step by step, with times, tokens and cost; the newest if none is named' },
  parameters: {
    flags: {
      ...common,
      follow: { kind: 'boolean', optional: true, withNegated: false, brief: 'Show what it does until it has ended' },
    },
    aliases: { f: 'follow' },
    positional: {
      kind: 'tuple',
      parameters: [agentArgument, { brief: 'Id of the run', placeholder: 'run', parse: String, optional: true }],
    },
  },
  async func(this: Cli, flags: TraceFlags, name: string, id?: string) {
    const agent = await this.agent(flags, name);
    const runId = id ?? (await agent.runs.list().toArray(1))[0]?.id;
    if (runId === undefined) throw new CliError('the agent has not done anything yet', EXIT.notFound);
    if (flags.follow) await showUntilEnd(this, agent, runId, flags.json);
    if (flags.follow && flags.json) return;
    const run = await agent.runs.get(runId);
    if (flags.json) this.out.json(run);
    else this.out.line(timelineOf(run, this.out.width).join('\n'));
  },
});

/** As JSON: a line for each event, of which the last holds the run. */
async function showUntilEnd({ out }: Cli, agent: Agent, runId: string, isJson: boolean | undefined): Promise<void> {
  const view = new AnswerView(out);
  for await (const event of agent.runs.events(runId, { retryForMs: STREAM_RETRY_FOR_MS })) {
    if (isJson) out.jsonLine(event);
    else view.show(event);
  }
  view.end();
}

function timelineOf(run: RunDetails, width: number): string[] {
  const began = Date.parse(run.started_at);
  const ended = run.ended_at === null ? Date.now() : Date.parse(run.ended_at);
  const { input_tokens: input, output_tokens: output } = run.usage;
  return [
    `${run.id}  ${run.status}  ${tookOf(run)}  ${run.attempt_count} attempts  ${input} → ${output} tokens  ${costOf(run)}`,
    ...run.messages.map(({ content, channel }) => `> ${inLine(content, width - 20)}  (${channel})`),
    ...run.steps.map((step) => lineOf(step, began, Math.max(1, ended - began), width)),
    ...run.replies.map(({ content }) => `< ${inLine(content, width - 20)}`),
    ...(run.error ? [`✗ ${inLine(run.error.message, width)} (${inLine(run.error.code, 60)})`] : []),
  ];
}

function lineOf(step: RunStep, began: number, tookMs: number, width: number): string {
  const at = Date.parse(step.started_at) - began;
  const from = Math.min(BAR - 1, Math.max(0, Math.floor((at / tookMs) * BAR)));
  const length = Math.min(BAR - from, Math.max(1, Math.round(((step.duration_ms ?? 0) / tookMs) * BAR)));
  const bar = (' '.repeat(from) + '█'.repeat(length)).padEnd(BAR);
  return `${`+${duration(at)}`.padEnd(9)} ${bar}  ${duration(step.duration_ms).padEnd(7)} ${inLine(whatOf(step), width - BAR - 20)}`;
}

function whatOf({ kind, model, tool, reason }: RunStep): string {
  if (model) {
    const first =
      model.time_to_first_token_ms === null ? '' : `, first after ${duration(model.time_to_first_token_ms)}`;
    return `${model.model}  ${model.input_tokens ?? '?'} → ${model.output_tokens ?? '?'} tokens${first}  ${model.finish_reason ?? ''}`;
  }
  if (tool) {
    const outcome = tool.exit_code === null ? (tool.is_error ? 'failed' : '') : `exit ${tool.exit_code}`;
    return `${tool.name} ${tool.arguments ?? ''}  ${outcome}`;
  }
  return reason ? `${kind}: ${reason.message}` : kind;
}

function tookOf({ started_at: from, ended_at: to }: Pick<Run, 'started_at' | 'ended_at'>): string {
  return to === null
    ? `${duration(Date.now() - Date.parse(from))} so far`
    : duration(Date.parse(to) - Date.parse(from));
}

/** Unknown where a model has no price. */
function costOf({ usage }: Pick<Run, 'usage'>): string {
  const cost = usage?.cost_usd;
  return cost === null || cost === undefined ? '-' : clean(`$${String(cost)}`);
}
