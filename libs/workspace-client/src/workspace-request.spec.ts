import type { Bus } from '#lib/bus';
import { ensureWorkspace, pingWorkspace, RoostError } from '#lib/contracts';
import { describe, expect, it } from 'vitest';
import { requestWatched, requestWorkspace } from './workspace-request.js';

const input = { agentId: '0198c3a2-0000-7000-8000-000000000001' };
const pong = { bootId: 'b', uptimeMs: 1 };
const nobody = new RoostError('SERVICE_UNAVAILABLE', 'is not running', [{ reason: 'nobody_there' }]);
const late = new RoostError('SERVICE_UNAVAILABLE', 'did not answer in time', [{ reason: 'unavailable' }]);

/** A bus on which requests to the workspace have these outcomes, one after the other, and waking it succeeds. */
function busWith(...outcomes: unknown[]) {
  const sent: string[] = [];
  const request = async ({ subject }: { subject: string }) => {
    sent.push(subject);
    const outcome: unknown = subject === ensureWorkspace.subject ? {} : outcomes.shift();
    if (outcome instanceof Error) throw outcome;
    return outcome;
  };
  return { bus: { request } as unknown as Bus, sent };
}

describe('a request to a workspace', () => {
  it('wakes it when nobody is there, and is sent once more', async () => {
    const { bus, sent } = busWith(nobody, pong);
    expect(await requestWorkspace(bus, pingWorkspace, input)).toBe(pong);
    expect(sent).toEqual([pingWorkspace.subject, ensureWorkspace.subject, pingWorkspace.subject]);
  });

  it.each([
    ['that may have been carried out', late, {}],
    ['that was refused', new RoostError('NOT_FOUND', 'there is no such file'), {}],
    ['that goes on with what an awake workspace began', nobody, { wakes: false }],
  ])('%s is not sent again', async (_, outcome, options) => {
    const { bus, sent } = busWith(outcome, pong);
    await expect(requestWorkspace(bus, pingWorkspace, input, options)).rejects.toBe(outcome);
    expect(sent).toEqual([pingWorkspace.subject]);
  });

  it('is waited for no longer than its caller wants', async () => {
    const caller = new AbortController();
    const { bus } = busWith(new Promise(() => undefined));
    const answer = requestWatched(bus, pingWorkspace, input, { signal: caller.signal });
    caller.abort(new Error('the turn was interrupted'));
    await expect(answer).rejects.toThrow('the turn was interrupted');
  });

  it('is not sent for a caller who wants nothing any more', async () => {
    const { bus, sent } = busWith(pong);
    const signal = AbortSignal.abort(new Error('the turn was interrupted'));
    await expect(requestWatched(bus, pingWorkspace, input, { signal })).rejects.toThrow('the turn was interrupted');
    expect(sent).toEqual([]);
  });
});
