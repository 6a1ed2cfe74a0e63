import { cpus, totalmem } from 'node:os';
import { readFileSync } from 'node:fs';
import { quantile } from '../../bench/runner/quantile.js';
import type { Sizes } from './fill/sizes.js';
import type { LoadResult } from './load/load-phase.js';
import type { Throughput } from './load/replicas-phase.js';
import type { Measured } from './measure/latencies.js';
import { type ScaleOptions, SMALL_AGENTS } from './options.js';
import { MAX_ROWS } from './plans/check-plan.js';
import type { Statement } from './plans/collect-plans.js';

export interface Outcome {
  options: ScaleOptions;
  startedAt: Date;
  /** What runs, at the begin: others may come while it does. */
  commit: string;
  loadAverage: number[];
  /** Phases that did not come to their end, and why. */
  errors: string[];
  seconds?: number;
  small?: Measured;
  large?: Measured;
  statements?: Statement[];
  throughput?: Throughput[];
  load?: LoadResult;
}

const MAX_RATIO = 2;
/** What takes less is as good as this: a ratio of two such times says nothing. */
const LEAST_MS = 5;

interface Compared {
  what: string;
  small: [p50: number, p99: number];
  large: [p50: number, p99: number];
  ratio: number;
  isKept: boolean;
}

const MEASURED_ONLY = /^(metrics|quotas)/;

export function compared({ small, large }: Outcome): Compared[] {
  if (!small || !large) return [];
  return [...large.times].flatMap(([what, times]) => {
    const before = small.times.get(what);
    if (!before || before.length === 0 || times.length === 0) return [];
    const of = (values: number[]): [number, number] => [quantile(values, 0.5), quantile(values, 0.99)];
    const [from, to] = [of(before), of(times)];
    const ratio = Math.max(to[0], LEAST_MS) / Math.max(from[0], LEAST_MS);
    return [{ what, small: from, large: to, ratio, isKept: MEASURED_ONLY.test(what) || ratio <= MAX_RATIO }];
  });
}

export const unexplained = ({ statements = [] }: Outcome): Statement[] =>
  statements.filter(({ faults, reason }) => faults.length > 0 && reason === undefined);

/** Whether nothing grew that should not. */
export const isGood = (outcome: Outcome): boolean =>
  outcome.errors.length === 0 &&
  compared(outcome).every(({ isKept }) => isKept) &&
  unexplained(outcome).length === 0 &&
  (outcome.load?.verdicts.every(({ isKept }) => isKept) ?? true);

/** The result as a page: what was filled, what was measured, what breaks first. */
export function documentOf(outcome: Outcome): string {
  const { options, startedAt, errors, seconds } = outcome;
  const parts = [
    '# Scale',
    'What does Roost cost with a million agents, and what breaks first? This page is written by `npm run scale`, which says what it does with `--help`; nobody edits it. It fills an installation by SQL as the services would have left it ([test/scale](../test/scale/README.md)), and one of a thousand agents beside it, and does the same with both. Whatever is not marked as a projection was measured in this run.',
    table([
      ['date', startedAt.toISOString().slice(0, 16).replace('T', ' ') + ' UTC'],
      ['commit', outcome.commit],
      ['machine', machine()],
      [
        'load of the machine',
        `${outcome.loadAverage.map((load) => load.toFixed(1)).join(', then ')} (processes that want to run, over a minute)`,
      ],
      ['again', `\`${options.command}\``],
      ...(seconds === undefined ? [] : [['took', `${Math.floor(seconds / 60)} min ${seconds % 60} s`]]),
    ]),
    ...errors.map((error) => `**A part did not come to its end:** ${error}`),
    `## What there is\n\n${filled(options.sizes, outcome)}`,
    ...(outcome.small ? [`## How long does it take?\n\n${latencies(outcome)}`] : []),
    ...(outcome.statements ? [`## Does anything read a whole table?\n\n${plans(outcome)}`] : []),
    ...(outcome.throughput ? [`## How much does one machine do?\n\n${throughput(outcome.throughput)}`] : []),
    ...(outcome.load ? [`## Does it keep up?\n\n${load(outcome.load)}`] : []),
    ...(outcome.throughput ? [`## What breaks first, and what to do\n\n${breaks(outcome, outcome.throughput)}`] : []),
  ];
  return `${parts.join('\n\n')}\n`;
}

function filled(sizes: Sizes, { small, large }: Outcome): string {
  const count = (name: keyof Sizes) => [
    name,
    String(
      SMALL_AGENTS === sizes.agents
        ? sizes[name]
        : Math.max(10, Math.round((sizes[name] * SMALL_AGENTS) / sizes.agents)),
    ),
    String(sizes[name]),
  ];
  return [
    table([
      ['', 'small', 'large'],
      ...(['agents', 'accounts', 'messages', 'schedules', 'deliveries'] as const).map(count),
      ...(small && large
        ? [
            ['database', gigabytes(small.databaseBytes), gigabytes(large.databaseBytes)],
            ['start of Roost, s', (small.startMs / 1_000).toFixed(1), (large.startMs / 1_000).toFixed(1)],
          ]
        : []),
    ]),
    'Accounts, agents, conversations and endpoints are skewed (Zipf): the largest account has every sixteenth agent, the largest agent every twentieth message. Messages span 330 days, runs are there for 90 of them. Of the deliveries that wait nine tenths are webhooks, one tenth parts of replies for chats; one in a hundred is due. Schedules are weekly.',
    ...(small && large
      ? [
          `Memory of each process after the start, MB:\n\n${table([
            ['', 'small', 'large'],
            ...[...large.memory].map(([name, bytes]) => [
              name,
              megabytes(small.memory.get(name) ?? 0),
              megabytes(bytes),
            ]),
          ])}`,
        ]
      : []),
  ].join('\n\n');
}

function latencies(outcome: Outcome): string {
  const rows = compared(outcome);
  const missed = rows.filter(({ isKept }) => !isKept).length;
  return [
    table([
      ['', 'small p50', 'p99', 'large p50', 'p99', 'p50, times', ''],
      ...rows.map(({ what, small, large, ratio, isKept }) => [
        what,
        ...[...small, ...large].map((ms) => ms.toFixed(ms < 10 ? 2 : 0)),
        ratio.toFixed(2),
        isKept ? '' : '**more than twice**',
      ]),
    ]),
    `In ms. Goal: at most twice as long at the median (of what takes less than ${LEAST_MS} ms, ${LEAST_MS} ms count). ${missed === 0 ? 'Kept by all.' : `Missed by ${missed}.`} “claim”, “relay”, “store” and “end a turn” are statements, timed by PostgreSQL while the rest was measured; the other lines are what a client sees, one call after the other.`,
  ].join('\n\n');
}

function plans(outcome: Outcome): string {
  const { statements = [] } = outcome;
  const faults = unexplained(outcome);
  const explained = statements.filter(({ reason }) => reason !== undefined);
  return [
    `${statements.length} statements ran while PostgreSQL wrote down each plan with its rows: every list, send, claim, firing, delivery, sweep and metric. None may read a large table from its begin, look at more than ${MAX_ROWS} rows, or sort more. ${faults.length === 0 ? 'None does without a reason.' : `**${faults.length} do:**`}`,
    ...faults.map(
      ({ service, text, faults: found, plan }) =>
        `- ${service}: ${found.join('; ')}\n\n  \`${text.slice(0, 300).replaceAll('`', "'")}\`\n\n  \`\`\`\n  ${plan.replaceAll('\n', '\n  ')}\n  \`\`\``,
    ),
    ...(explained.length > 0
      ? [
          'With a reason:',
          table([
            ['service', 'statement', 'what', 'why'],
            ...explained.map(({ service, text, faults: found, reason = '' }) => [
              service,
              `\`${text.slice(0, 80)}\``,
              found.join('; '),
              reason,
            ]),
          ]),
        ]
      : []),
  ].join('\n\n');
}

function throughput(rows: Throughput[]): string {
  const services = [...new Set(rows.flatMap(({ cpuMsPerMessage }) => [...cpuMsPerMessage.keys()]))];
  return [
    table([
      [
        'processes of each service',
        'turns a second',
        'p50, ms',
        'p99, ms',
        'processors in use',
        'busiest process',
        'of a processor',
      ],
      ...rows.map((row) => [
        String(row.replicas),
        row.perSecond.toFixed(1),
        row.p50Ms.toFixed(0),
        row.p99Ms.toFixed(0),
        row.machineShare.toFixed(2),
        row.busiest,
        `${(100 * row.busiestShare).toFixed(0)} %`,
      ]),
    ]),
    'A turn: a message through the API, claimed, answered by the demo model, stored, its webhook sent, the reply read. 32 callers, each after its last reply, and they run on the same machine. The gateway has one process. Processor time of a turn, ms:',
    table([
      ['processes of each service', ...services],
      ...rows.map(({ replicas, cpuMsPerMessage }) => [
        String(replicas),
        ...services.map((service) => (cpuMsPerMessage.get(service) ?? 0).toFixed(2)),
      ]),
    ]),
  ].join('\n\n');
}

const SHOWN_SAMPLES = 12;

function load({ samples, rate, verdicts }: LoadResult): string {
  const each = Math.max(1, Math.ceil(samples.length / SHOWN_SAMPLES));
  return [
    `${rate} messages and ${rate} lists a second for ${samples.length} minutes, all answered by turns, with webhooks and schedules beside them, after 400,000 events and inbox rows that were too old had been put there.`,
    table([
      ['rule', 'seen', ''],
      ...verdicts.map(({ rule, seen, isKept }) => [rule, seen, isKept ? 'kept' : '**not kept**']),
    ]),
    table([
      [
        'minute',
        'messages',
        'send p99, ms',
        'list p99, ms',
        'unpublished',
        'oldest due, s',
        'oldest ready, s',
        'too old',
        'dead rows',
        'database',
        'memory, MB',
      ],
      ...samples
        .filter((_, index) => index % each === each - 1)
        .map((sample) => [
          String(sample.minute),
          String(sample.sent),
          quantile(sample.sendMs, 0.99).toFixed(0),
          quantile(sample.listMs, 0.99).toFixed(0),
          String(sample.unpublished),
          sample.oldestDueSeconds.toFixed(1),
          sample.oldestReadySeconds.toFixed(1),
          String(sample.oldRows),
          String(sample.deadRows),
          gigabytes(sample.databaseBytes),
          megabytes(sample.memoryBytes),
        ]),
    ]),
  ].join('\n\n');
}

/** Services whose processes share their work. */
const SCALES = ['agent-runtime', 'messaging', 'agent-lifecycle', 'webhook-dispatch', 'scheduler', 'channels'];

function breaks(outcome: Outcome, rows: Throughput[]): string {
  const [one] = rows;
  const best = rows.reduce((a, b) => (b.perSecond > a.perSecond ? b : a));
  if (!one) return '';
  const processors = cpus().length;
  const isFull = best.machineShare > 0.75 * processors;
  const costs = [...one.cpuMsPerMessage].filter(([, ms]) => ms > 0.01).sort(([, a], [, b]) => b - a);
  const first = costs.filter(([name]) => name !== 'postgres')[0];
  return [
    `**Measured.** With ${best.replicas} of each service ${best.perSecond.toFixed(1)} turns a second go through; ${
      isFull
        ? `what stops them is the machine: its ${processors} processors are used up, by ${costs
            .slice(0, 3)
            .map(([name, ms]) => `${name} (${ms.toFixed(1)} ms a turn)`)
            .join(', ')}.`
        : `the machine's ${processors} processors are not used up (${best.machineShare.toFixed(2)}, the callers not counted).`
    } The number of agents is not what stops it: the database of ${gigabytes(outcome.large?.databaseBytes ?? 0)} only has to keep in memory what is in use.`,
    `**Projection**, from the processor time of a turn with one process of each: a process of Node uses one processor, so that one alone ends at:`,
    table([
      ['process', 'ms a turn', 'turns a second of one process (projection)', 'what to do'],
      ...costs.map(([name, ms]) => [
        name,
        ms.toFixed(2),
        name === 'postgres' ? `${(1_000 / ms).toFixed(0)} per processor` : (1_000 / ms).toFixed(0),
        name === 'postgres'
          ? 'more processors and memory; then a server for each schema, since none refers to another'
          : SCALES.includes(name)
            ? 'more processes (`--replicas`, `replicas` of the chart)'
            : name === 'gateway'
              ? 'more processes behind a balancer (the chart)'
              : 'a cluster of NATS',
      ]),
    ]),
    first
      ? `So on a machine with processors to spare ${first[0]} is the first of the processes to be full, at about ${(1_000 / first[1]).toFixed(0)} turns a second (projection), and can be multiplied; what cannot is PostgreSQL, which at the measured ${(one.cpuMsPerMessage.get('postgres') ?? 0).toFixed(1)} ms a turn does ${(16_000 / Math.max(0.01, one.cpuMsPerMessage.get('postgres') ?? 0)).toFixed(0)} turns a second with 16 processors (projection; a disk that flushes as many commits is presumed).`
      : '',
    'Tables are not partitioned by time: retention goes by index and in batches, and nothing above asks for it.',
  ].join('\n\n');
}

const gigabytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(2)} GB`;
const megabytes = (bytes: number) => (bytes / 2 ** 20).toFixed(0);

function table(rows: string[][]): string {
  const head = rows[0]?.length === 2 && rows[0][0] === 'date' ? ['', ''] : (rows.shift() ?? []);
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function machine(): string {
  const kernel = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
  return `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'processor'}, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${kernel}, Node ${process.version}, the PostgreSQL of npm as Roost starts it`;
}
