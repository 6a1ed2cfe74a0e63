import { ownCall } from '#lib/call-context';
import { claimTurn, failTurn, getMessage, MAX_RETRY_AFTER_MS } from '#lib/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fenceOf, type MessagingFixture, messagingFixture } from '../../test/messaging-fixture.js';

describe('a provider that asks to be left alone', () => {
  let fixture: MessagingFixture;
  beforeAll(async () => {
    fixture = await messagingFixture();
  });
  afterAll(() => fixture.stop());

  const error = { code: 'MODEL_OVERLOADED', message: 'slow down' };
  /** Reports the failure of a turn, and gives what its message waits for then. */
  async function failed(retryAfterMs: number) {
    const { bus } = fixture;
    const agentId = await fixture.agent();
    const { id: messageId } = await fixture.send(agentId, 'hello');
    const turn = await fixture.claim();
    const report = { ...fenceOf(turn), error, retryable: true, partialReply: '', retryAfterMs };
    await expect(bus.request(failTurn, report, ownCall('f'))).resolves.toEqual({ willRetry: true });
    const { message } = await bus.request(getMessage, { agentId, messageId, waitSeconds: 0 }, fixture.account());
    return message;
  }

  it.each([60_000, MAX_RETRY_AFTER_MS])(
    'is not called again before %i ms are over, and the message says when',
    async (ms) => {
      const before = Date.now();
      const { status, waitingFor } = await failed(ms);
      expect({ status, waitingFor }).toMatchObject({ status: 'pending', waitingFor: { reason: 'retry', error } });
      expect(waitingFor?.nextAttemptAt?.getTime()).toBeGreaterThanOrEqual(before + ms);
      const claimed = await fixture.bus.request(claimTurn, { workerId: 'w' }, ownCall('c'));
      expect(claimed.turn).toBeNull();
    },
  );

  it('is called again after the usual pause where it asks for less', async () => {
    await failed(0);
    await expect(fixture.claim()).resolves.toMatchObject({ attempt: 2 });
  });
});
