import { cpus, totalmem } from 'node:os';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type Promised, PROMISES, type Verdict } from './check/check-record.js';
import type { FaultClass } from './faults/fault-class.js';
import { CONTROLS_PAGE, type LedgerOptions } from './options.js';
import type { ControlResult } from './run-controls.js';
import type { RunResult } from './run-ledger.js';

export interface Outcome {
  options: LedgerOptions;
  startedAt: Date;
  /** What runs, at the begin: others may come while it does. */
  commit: string;
  /** Absent where only positive controls ran. */
  run: RunResult | undefined;
  /** Why the run did not come to its end. */
  error?: string | undefined;
  skipped: Map<FaultClass, string>;
  controls: ControlResult[];
  /** Before the run, and after it. */
  loadAverage: number[];
}

/** Of each kind. */
const MAX_EXAMPLES = 3;

/** Whether everything was as promised. */
export const isClean = ({ run, error }: Outcome): boolean =>
  error === undefined && (run?.verdict.findings.length ?? 0) === 0;

/** The result as a page: what was done, what was found, how to do it again. */
export function documentOf(outcome: Outcome): string {
  const { options, startedAt, run, skipped, controls, error } = outcome;
  const parts = [
    run || error !== undefined ? '# The fault ledger' : '# Positive controls of the fault ledger',
    'What did Roost’s message path survive? This page is written by `npm run ledger`, which says what it does with `--help`; nobody edits it. An outside client sends messages, reads chats, receives webhooks, writes files and keeps its own record; meanwhile the faults below happen under load, behind a model that misbehaves. Afterwards a checker that knows nothing but that record and what API and chats show holds them against each other ([test/ledger](../test/ledger/README.md)).',
    table([
      ['date', startedAt.toISOString().slice(0, 16).replace('T', ' ') + ' UTC'],
      ['commit', outcome.commit],
      ['machine', machine()],
      [
        'load of the machine',
        `${outcome.loadAverage.map((load) => load.toFixed(1)).join(', then ')} (processes that want to run, over a minute: above the number of processors everything waits)`,
      ],
      ['again', `\`${options.command}\``],
      ...(run ? [['took', duration(run.seconds)]] : []),
    ]),
    ...(error === undefined ? [] : [`**The run did not come to its end:** ${error}`]),
    ...(run
      ? [
          `## What was promised and what was found\n\n${promises(run.verdict)}`,
          load(run, options),
          findings(run.verdict),
        ]
      : []),
    ...(run ? [`## Faults\n\n${faults(run.verdict, options, skipped)}`] : []),
    ...(controls.length > 0 ? [`## Would it be noticed?\n\n${controlsText(controls)}`] : [APART]),
    ...(run ? [`## Memory\n\n${memory(run)}`] : []),
  ];
  return `${parts.filter(Boolean).join('\n\n')}\n`;
}

function promises(verdict: Verdict): string {
  const { counts } = verdict;
  const of: { [promise in Promised]: string } = {
    accepted: `${counts.sent} sent, ${counts.accepted} accepted`,
    answered: `${counts.answered} answered`,
    order: `${counts.answered} replies`,
    time: `p50 ${at(verdict, 0.5)}, p99 ${at(verdict, 0.99)}, longest ${at(verdict, 1)}`,
    chats: `${counts.chatMessages} messages, ${counts.shownReplies} answers shown, ${counts.uncertainReplies} listed as uncertain`,
    webhooks: `${counts.webhooks} received, ${counts.repeatedWebhooks} of them repeats`,
    slots: `${counts.slots} slots`,
    files: `${counts.files} files`,
    usage: `${counts.reported.steps} steps, ${counts.reported.input} in, ${counts.reported.output} out; ${counts.lostWithWorkers} steps died with their worker`,
    requests: `${counts.told.steps} answers told usage`,
  };
  const found = (promise: Promised) => verdict.findings.filter((finding) => finding.promise === promise).length;
  return table([
    ['promise', 'seen', 'broken'],
    ...Object.entries(PROMISES).map(([promise, text]) => [
      text,
      of[promise as Promised],
      String(found(promise as Promised) || 'never'),
    ]),
  ]);
}

const load = ({ model, reconnects }: RunResult, { rate, misbehaviourRate }: LedgerOptions) =>
  `${rate} messages a second through the API. The model was asked ${model.requests} times over three wires, ${model.disturbed} of its answers went wrong on purpose (${Math.round(misbehaviourRate * 100)} %). Event streams were resumed ${reconnects} times.`;

function findings({ findings: all }: Verdict): string {
  if (all.length === 0) return '';
  const kinds = new Map<string, string[]>();
  for (const { promise, kind, what } of all) {
    const name = `${promise}: ${kind}`;
    const known = kinds.get(name);
    if (known) known.push(what);
    else kinds.set(name, [what]);
  }
  const rows = [...kinds].map(([kind, found]) => [kind, String(found.length), found.slice(0, MAX_EXAMPLES).join('; ')]);
  return `**What failed:**\n\n${table([['kind', 'times', 'the first of them'], ...rows])}`;
}

function faults(verdict: Verdict, { counts }: LedgerOptions, skipped: Map<FaultClass, string>): string {
  const made = (name: string) => verdict.faults.filter(({ fault }) => fault === name).length;
  return [
    table([
      ['class', 'made', 'longest recovery', 'how'],
      ...[...counts.keys()].map((fault) => {
        const recovery = verdict.recoveries.get(fault.name);
        const why = skipped.get(fault);
        return [
          fault.name,
          why === undefined ? String(made(fault.name)) : `skipped: ${why}`,
          recovery ? `${(recovery.longestMs / 1_000).toFixed(1)} s (${recovery.longestWhat})` : '',
          fault.how,
        ];
      }),
    ]),
    'Recovery: from a fault’s begin until a message that was sent after it has been accepted and answered. Faults that follow at once are in it.',
  ].join('\n\n');
}

const APART = `## Would it be noticed?\n\nThe positive controls ran apart: [${CONTROLS_PAGE}](${CONTROLS_PAGE}).`;

const controlsText = (controls: ControlResult[]) =>
  [
    'Each class was run once more against a build without the line that guards against it. The checker had to find it broken.',
    table([
      ['class', 'without', 'found'],
      ...controls.map(({ fault, without, found, isNoticed }) => [
        fault,
        without,
        `${isNoticed ? '' : '**not noticed** '}${[...found].map(([promise, count]) => `${promise} ${count}`).join(', ')}`,
      ]),
    ]),
  ].join('\n\n');

const memory = ({ memory: rows }: RunResult) =>
  table([
    ['service', 'MB after the start', 'MB at the end'],
    ...rows.map(({ service, before, after }) => [service, String(before), String(after)]),
  ]);

/** The first row is the head; of two columns, none. */
function table(rows: string[][]): string {
  const head = rows[0]?.length === 2 ? ['', ''] : (rows.shift() ?? []);
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function at({ latenciesMs }: Verdict, quantile: number): string {
  const index = Math.min(latenciesMs.length - 1, Math.floor(latenciesMs.length * quantile));
  return `${((latenciesMs[index] ?? 0) / 1_000).toFixed(2)} s`;
}

const duration = (seconds: number) => `${Math.floor(seconds / 60)} min ${seconds % 60} s`;

function machine(): string {
  const nats = spawnSync('nats-server', ['--version'], { encoding: 'utf8' })
    .stdout?.trim()
    .replace('nats-server: ', '');
  const kernel = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
  return `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'processor'}, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${kernel}, Node ${process.version}, nats-server ${nats ?? '(unknown)'}`;
}
