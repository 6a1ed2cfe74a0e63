import { RoostError } from '#lib/contracts';
import { until } from '#lib/testing';
import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { workspaceGone } from './workspace-gone.js';

type Look = { bootId: string; uptimeMs: number } | RoostError;

const nobody = new RoostError('SERVICE_UNAVAILABLE', 'is not running', [{ reason: 'nobody_there' }]);
const late = new RoostError('SERVICE_UNAVAILABLE', 'did not answer in time', [{ reason: 'unavailable' }]);

/** Looks at a workspace that gives these answers in turn, the last of them again and again, while a request runs. */
function watching(answers: Look[], { sentMsAgo = 0 } = {}) {
  const seen: Look[] = [];
  const done = new AbortController();
  const sentAt = performance.now() - sentMsAgo;
  const ping = () => {
    const answer = answers[Math.min(seen.length, answers.length - 1)] ?? nobody;
    seen.push(answer);
    return answer instanceof RoostError ? Promise.reject(answer) : Promise.resolve(answer);
  };
  const gone = workspaceGone({ ping, sentAt: () => sentAt }, new Promise(() => undefined), done.signal, 1);
  return { seen, done, gone };
}

describe('a request to a workspace', () => {
  const alive = { bootId: 'one', uptimeMs: 1e9 };

  it.each<[string, Look[], number]>([
    ['was started anew after the request was sent, seen at the first look', [{ bootId: 'two', uptimeMs: 10 }], 60_000],
    ['was started anew between two looks', [alive, { bootId: 'two', uptimeMs: 1e9 }], 0],
    ['is not there, and not a moment later', [nobody], 0],
    ['vanishes later', [alive, alive, nobody, nobody], 0],
  ])('fails when the workspace %s', async (_, answers, sentMsAgo) => {
    await expect(watching(answers, { sentMsAgo }).gone).rejects.toMatchObject({ code: 'AGENT_UNAVAILABLE' });
  });

  it('goes on while the workspace is there, slow to answer, or away from the bus for a moment', async () => {
    const { seen, done, gone } = watching([alive, late, nobody, alive, nobody, late, nobody, alive]);
    let failure: unknown;
    gone.catch((error: unknown) => (failure = error));
    await until('it has looked 30 times', () => seen.length > 30);
    expect(failure).toBeUndefined();
    expect(getEventListeners(done.signal, 'abort').length).toBeLessThanOrEqual(1);
    done.abort();
  });

  it('is not taken for interrupted by a workspace that was woken for it, however long that took', async () => {
    const done = new AbortController();
    let looks = 0;
    let sentAt: number | undefined = performance.now() - 60_000;
    const startedAt = performance.now();
    const ping = () => {
      looks += 1;
      // The first look waits for the same wake; then the request is sent again.
      if (looks === 1) sentAt = undefined;
      return Promise.resolve({ bootId: 'one', uptimeMs: performance.now() - startedAt });
    };
    const gone = workspaceGone({ ping, sentAt: () => sentAt }, new Promise(() => undefined), done.signal, 1);
    let failure: unknown;
    gone.catch((error: unknown) => (failure = error));
    await until('it has looked', () => looks === 1);
    setTimeout(() => (sentAt = performance.now()), 20);
    await until('it looks again', () => looks > 5);
    expect(failure).toBeUndefined();
    done.abort();
  });
});
