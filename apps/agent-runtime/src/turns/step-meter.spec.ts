import type { Bus } from '#lib/bus';
import { type ClaimedTurn, RoostError } from '#lib/contracts';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { ResolvedModel } from '../models/model-registry.js';
import type { Prices } from '../usage/prices.js';
import { StepMeter } from './step-meter.js';

const turn = { turnId: 't1', fencingToken: 3n, agentId: 'a', accountId: 'b', channel: 'api' } as unknown as ClaimedTurn;
const prices = { costOf: () => 5n } as unknown as Prices;
const model = { provider: 'p', modelId: 'm' } as unknown as ResolvedModel;

describe('debits while the ledger is away', () => {
  function setUp(failures: number, error = new RoostError('SERVICE_UNAVAILABLE', 'away')) {
    const made: string[] = [];
    const stop = new AbortController();
    let tries = 0;
    const request = (_: unknown, { stepId }: { stepId: string }) => {
      if (++tries <= failures) return Promise.reject(error);
      made.push(stepId);
      return Promise.resolve({ outputTokenBalance: 7 });
    };
    const meter = new StepMeter({ request, stopping: stop.signal } as unknown as Bus, turn, prices, 1);
    const answer = async () => {
      const observer = await meter.watch(model)();
      const usage = { inputTokens: { total: 10 }, outputTokens: { total: 2 } };
      observer.onAnswer({ usage, content: [{ type: 'text' }], finishReason: { unified: 'stop' } } as never);
    };
    return { meter, made, stop, answer, tries: () => tries };
  }

  it('are tried again, and the turn goes on', async () => {
    const { meter, made, answer } = setUp(2);
    await answer();
    expect(await meter.balance()).toBe(7);
    expect(made).toEqual(['t1:3:0']);
  });

  it('are made later, though the turn did not wait for them', async () => {
    const { meter, made, answer } = setUp(30);
    await answer();
    await expect(meter.balance()).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    expect(made).toEqual([]);
    await expect.poll(() => made).toEqual(['t1:3:0']);
  });

  it('are given up when the service ends, or the ledger refuses them', async () => {
    const stopped = setUp(Infinity);
    await stopped.answer();
    await expect(stopped.meter.balance()).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    stopped.stop.abort();
    await sleep(50);
    const tries = stopped.tries();
    await sleep(100);
    expect(stopped.tries()).toBe(tries);

    const refused = setUp(Infinity, new RoostError('NOT_FOUND', 'there is no such agent'));
    await refused.answer();
    await expect(refused.meter.balance()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await sleep(50);
    expect(refused.tries()).toBe(1);
  });
});
