import { describe, expect, it } from 'vitest';
import { compared, documentOf, isGood, type Outcome } from './document.js';
import { LARGE, scaled } from './fill/sizes.js';
import { readOptions, SMALL_AGENTS } from './options.js';
import { reasonOf } from './plans/exceptions.js';

const measured = (ms: number) => ({
  times: new Map([['list: runs (largest account)', Array.from({ length: 100 }, () => ms)]]),
  startMs: 1_000,
  memory: new Map([['messaging', 1e8]]),
  databaseBytes: 1e9,
});
const outcome = (large: number): Outcome => ({
  options: readOptions([]),
  startedAt: new Date(0),
  commit: 'abc',
  loadAverage: [0],
  errors: [],
  small: measured(10),
  large: measured(large),
});

describe('options', () => {
  it('are the whole by default, a hundredth when quick, and what is given', () => {
    expect(readOptions([])).toMatchObject({
      sizes: LARGE,
      minutes: 60,
      replicas: [1, 2, 4],
      document: 'docs/scale.md',
    });
    expect(readOptions(['--quick']).sizes).toEqual(scaled(LARGE, 0.01));
    expect(readOptions(['--quick']).document).toBeUndefined();
    expect(
      readOptions(['--agents', '5000', '--accounts', '10', '--only', 'plans,load', '--replicas', '2']),
    ).toMatchObject({ sizes: { agents: 5_000, accounts: 10 }, phases: ['plans', 'load'], replicas: [2] });
    expect(readOptions(['--only', 'fill']).phases).toEqual([]);
  });

  it.each([
    [['--only', 'nothing'], 'there is no phase "nothing"'],
    [['--minutes', 'many'], '--minutes is a number'],
    [['--agents', '10', '--accounts', '11'], '--accounts may not be more'],
    [['--keep', 'a', '--reuse', 'b'], '--keep or --reuse'],
  ])('%j are refused', (args, why) => expect(() => readOptions(args)).toThrow(why));
});

it('makes a part of everything', () => {
  expect(scaled(LARGE, SMALL_AGENTS / LARGE.agents)).toEqual({
    agents: 1_000,
    accounts: 100,
    messages: 10_000,
    schedules: 1_000,
    deliveries: 1_000,
  });
});

describe('the result', () => {
  it('is good while nothing takes more than twice as long', () => {
    expect(isGood(outcome(19))).toBe(true);
    expect(isGood(outcome(21))).toBe(false);
    expect(compared(outcome(21))).toMatchObject([{ ratio: 2.1, isKept: false }]);
  });

  it('is not good with a plan that nobody gave a reason for, or a part that did not end', () => {
    const statement = {
      service: 'messaging',
      text: 'SELECT 1',
      times: 1,
      faults: ['sorts'],
      plan: '',
      reason: undefined,
    };
    expect(isGood({ ...outcome(10), statements: [statement] })).toBe(false);
    expect(isGood({ ...outcome(10), statements: [{ ...statement, reason: 'small' }] })).toBe(true);
    expect(isGood({ ...outcome(10), errors: ['load: it ended'] })).toBe(false);
  });

  it('is a page that says what was missed and how to do it again', () => {
    const page = documentOf(outcome(21));
    expect(page).toContain('| list: runs (largest account) | 10 | 10 | 21 | 21 | 2.10 | **more than twice** |');
    expect(page).toContain('`npm run scale`');
    expect(page).not.toMatch(/undefined|NaN/);
  });
});

it('gives a reason to what it knows alone', () => {
  expect(reasonOf('roost-webhooks SELECT count(*)::int AS count FROM queue')).toMatch(/metric/);
  expect(reasonOf('roost-messaging SELECT * FROM messages')).toBeUndefined();
});
