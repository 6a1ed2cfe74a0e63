import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { FaultClass } from './faults/fault-class.js';
import { faultClasses } from './faults/index.js';

/** Of a run of positive controls alone. */
export const CONTROLS_PAGE = 'ledger-controls.md';

const names = faultClasses.map(({ name, quick, long }) => `${name} (${quick}, ${long})`).join(', ');

export const help = `What Roost's message path survives: faults under load, checked by an outside client's own record.

  npm run ledger:quick         a few of each, about a minute and a half
  npm run ledger -- [options]
    --only CLASS[,CLASS]       no other faults; --only none: load alone, for a soak
    --count CLASS=N            how many of a class; may be repeated
    --minutes N                spread the faults over so long, and load for at least so long
    --rate N                   messages per second (default 50, quick 25)
    --seed N                   the same faults in the same order
    --misbehaving N            percent of the model's answers that go wrong (default 10)
    --controls / --no-controls also the positive control of each class: with what guards against it taken out
                               the run must fail (default: yes, quick: no)
    --only-controls            nothing but these, written to docs/${CONTROLS_PAGE}
    --document FILE            where the result is written (default docs/ledger.md, quick: nowhere)

Classes (how many of them quick, long): ${names}.
A class that this machine cannot make is skipped, and the document says so. ROOST_LEDGER_KEEP=FOLDER keeps the record and
the logs. Ends with 1 when something was not as promised, with 2 when a positive control was not noticed.`;

export interface LedgerOptions {
  seed: number;
  counts: Map<FaultClass, number>;
  minutes: number | undefined;
  rate: number;
  misbehaviourRate: number;
  isQuick: boolean;
  runsFaults: boolean;
  runsControls: boolean;
  document: string | undefined;
  /** As it was typed, to do it again. */
  command: string;
}

/** Errors: what is wrong. */
export function readOptions(args: string[]): LedgerOptions {
  const { values } = parseArgs({
    args,
    allowNegative: true,
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      count: { type: 'string', multiple: true, default: [] },
      minutes: { type: 'string' },
      rate: { type: 'string' },
      seed: { type: 'string' },
      misbehaving: { type: 'string', default: '10' },
      controls: { type: 'boolean' },
      'only-controls': { type: 'boolean', default: false },
      document: { type: 'string' },
    },
  });
  const { quick: isQuick, only } = values;
  const wanted = only === undefined || only === 'none' ? [] : only.split(',').map(classOf);
  const counts = new Map(
    faultClasses.map((fault) => {
      const isWanted = only === undefined || wanted.includes(fault);
      return [fault, isWanted ? (isQuick ? fault.quick : fault.long) : 0];
    }),
  );
  for (const given of values.count) {
    const [, name = '', count = ''] = /^([a-z-]+)=(\d{1,5})$/.exec(given) ?? [];
    if (count === '') throw new Error(`--count is CLASS=N, not "${given}"`);
    counts.set(classOf(name), Number(count));
  }
  const seed = numberOf('seed', values.seed ?? String(randomInt(2 ** 31)), 0, 2 ** 31);
  return {
    seed,
    counts,
    minutes: values.minutes === undefined ? undefined : numberOf('minutes', values.minutes, 0.1, 24 * 60),
    rate: numberOf('rate', values.rate ?? (isQuick ? '25' : '50'), 1, 1_000),
    misbehaviourRate: numberOf('misbehaving', values.misbehaving, 0, 50) / 100,
    isQuick,
    runsFaults: !values['only-controls'],
    runsControls: values['only-controls'] || (values.controls ?? !isQuick),
    document:
      values.document ?? (isQuick ? undefined : `docs/${values['only-controls'] ? CONTROLS_PAGE : 'ledger.md'}`),
    command: `npm run ledger -- ${[...args, ...(values.seed === undefined ? [`--seed ${seed}`] : [])].join(' ')}`,
  };
}

function classOf(name: string): FaultClass {
  const found = faultClasses.find((fault) => fault.name === name);
  if (!found) throw new Error(`there is no class "${name}" of faults: ${names}`);
  return found;
}

function numberOf(name: string, value: string, least: number, most: number): number {
  const number = Number(value);
  if (!(number >= least && number <= most)) throw new Error(`--${name} is a number from ${least} to ${most}`);
  return number;
}
