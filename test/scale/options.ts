import { parseArgs } from 'node:util';
import { LARGE, scaled, type Sizes } from './fill/sizes.js';

export const PHASES = ['plans', 'latencies', 'load', 'replicas'] as const;
export type Phase = (typeof PHASES)[number];

export const help = `What Roost costs at 1,000,000 agents: filled by SQL, then measured beside one of 1,000.

  npm run scale                    about two and a half hours on two quiet cores; 25 GB in --keep
  npm run scale -- --quick         a hundredth of everything and two minutes of load, about ten minutes
  npm run scale -- [options]
    --only PHASE[,PHASE]           of ${PHASES.join(', ')}; --only fill fills and ends
    --agents N --accounts N --messages N --schedules N --deliveries N
                                   other counts than ${Object.values(LARGE).join(', ')}
    --minutes N                    of load (default 60, quick 2)
    --rate N                       messages and lists per second of it (default 10)
    --calls N                      of each kind that is timed (default 300, quick 100)
    --replicas N[,N]               processes of each service (default 1,2,4)
    --keep FOLDER                  fills there and leaves it; what an ended run had done is not done again
    --reuse FOLDER                 the same, and an error when it is not filled to the end
    --document FILE                where the result is written (default docs/scale.md, quick: nowhere)

Ends with 1 when a plan grows with the tables, a latency is more than twice that with 1,000 agents, or a rule of the load
was not kept. Without --keep a temporary folder is filled and removed.`;

export interface ScaleOptions {
  sizes: Sizes;
  phases: Phase[];
  minutes: number;
  rate: number;
  calls: number;
  replicas: number[];
  folder: string | undefined;
  mustBeFilled: boolean;
  document: string | undefined;
  /** As it was typed, to do it again. */
  command: string;
}

/** Of the installation beside which the large one is measured; of all else it has as large a part. */
export const SMALL_AGENTS = 1_000;
const QUICK_PART = 0.01;

/** Errors: what is wrong. */
export function readOptions(args: string[]): ScaleOptions {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      agents: { type: 'string' },
      accounts: { type: 'string' },
      messages: { type: 'string' },
      schedules: { type: 'string' },
      deliveries: { type: 'string' },
      minutes: { type: 'string' },
      rate: { type: 'string', default: '10' },
      calls: { type: 'string' },
      replicas: { type: 'string', default: '1,2,4' },
      keep: { type: 'string' },
      reuse: { type: 'string' },
      document: { type: 'string' },
    },
  });
  const { quick } = values;
  const defaults = quick ? scaled(LARGE, QUICK_PART) : LARGE;
  const count = (name: keyof Sizes) =>
    values[name] === undefined ? defaults[name] : numberOf(name, values[name], 10, 1_000_000_000);
  const sizes = {
    agents: count('agents'),
    accounts: count('accounts'),
    messages: count('messages'),
    schedules: count('schedules'),
    deliveries: count('deliveries'),
  };
  if (sizes.accounts > sizes.agents) throw new Error('--accounts may not be more than --agents');
  if (values.keep !== undefined && values.reuse !== undefined) throw new Error('--keep or --reuse, not both');
  return {
    sizes,
    phases: phasesOf(values.only),
    minutes: numberOf('minutes', values.minutes ?? (quick ? '2' : '60'), 1, 24 * 60),
    rate: numberOf('rate', values.rate, 1, 1_000),
    calls: numberOf('calls', values.calls ?? (quick ? '100' : '300'), 10, 100_000),
    replicas: values.replicas.split(',').map((each) => numberOf('replicas', each, 1, 16)),
    folder: values.reuse ?? values.keep,
    mustBeFilled: values.reuse !== undefined,
    document: values.document ?? (quick ? undefined : 'docs/scale.md'),
    command: ['npm run scale', ...(args.length > 0 ? ['--', ...args.map(withoutFolder)] : [])].join(' '),
  };
}

function phasesOf(only: string | undefined): Phase[] {
  if (only === undefined) return [...PHASES];
  if (only === 'fill') return [];
  return only.split(',').map((name) => {
    const found = PHASES.find((phase) => phase === name);
    if (!found) throw new Error(`there is no phase "${name}": fill, ${PHASES.join(', ')}`);
    return found;
  });
}

function numberOf(name: string, value: string, least: number, most: number): number {
  const number = Number(value);
  if (!(number >= least && number <= most)) throw new Error(`--${name} is a number from ${least} to ${most}`);
  return number;
}

/** Where it was filled says nothing to others. */
function withoutFolder(arg: string, at: number, args: string[]): string {
  return ['--keep', '--reuse', '--document'].includes(args[at - 1] ?? '') ? 'FOLDER' : arg;
}
